// How long an order needs no proof: by what the CA said last of its authorizations, never by a number of
// days. Unless that is known DNS is checked, so that a zone that moved costs no order.
import { beforeEach, describe, expect, it } from 'vitest';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import type { PreflightFacts } from '../../lib/policy/dns/preflight-facts.ts';
import { AcmeError } from '../../lib/ports/acme.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const hourMs = 3_600_000;
const domains = ['shop.example.com', '*.shop.example.com'];
const shop = specOf('shop', domains);

let harness: Harness;
/** What was asked of DNS since the last `issue`. */
const asked: ('all' | 'lasting' | 'caa')[] = [];
let hasMoved: boolean;

/** Certificates at a CA that reuses authorizations, and a hosted zone that DNS leads to until it has
 *  moved. */
function begin(...parameters: ConstructorParameters<typeof Harness>): void {
  harness = new Harness(...parameters);
  harness.ca.reusesAuthorizations = true;
  hasMoved = false;
  harness.preflight = {
    describe: async (issuer) => ({ identities: [], accountUrl: harness.cas.get(issuer)?.accountUrl }),
    gather: async (names, about) => {
      asked.push(about);
      return { names: names.map((domain) => factsOf(domain, about)) };
    },
  };
}

function factsOf(domain: string, about: 'all' | 'lasting' | 'caa'): PreflightFacts['names'][number] {
  const recordName = `_acme-challenge.${domain.replace('*.', '')}`;
  const caa = { kind: 'none' } as const;
  if (about === 'caa')
    return { domain, recordName, caa, aliases: { kind: 'unasked' }, zone: { kind: 'unasked' } };
  const live = [hasMoved ? 'ns.elsewhere.example' : 'ns.aws.example'];
  const zone = {
    kind: 'found',
    id: 'Z1',
    name: 'example.com',
    delegationSet: ['ns.aws.example'],
    live,
  } as const;
  return { domain, recordName, caa, aliases: { kind: 'ends', names: [recordName] }, zone };
}

/** A pass in which the certificate is due. The zone's name servers fail a new proof once it has moved. */
async function issue(change: Partial<CertificateSpec> = {}, request: object = {}) {
  asked.length = 0;
  if (hasMoved) harness.ca.unwelcome.add('shop.example.com');
  const key = harness.state('shop').key === 'ecdsa-p256' ? 'ecdsa-p384' : 'ecdsa-p256';
  harness.exchange({ ...shop, key, ...change });
  const { report } = await harness.run({ certificates: ['shop'], ...request });
  return report.certificates[0];
}

beforeEach(() => begin([shop]));

describe.each([
  ['classic', 30 * dayMs, 29 * dayMs],
  ['tlsserver', 7 * hourMs, 5 * hourMs],
])('under profile %s', (profile, lifetimeMs, shortlyBeforeMs) => {
  beforeEach(async () => {
    begin([shop], { profile });
    harness.ca.authorizationLifetimeMs = lifetimeMs;
    expect(await issue()).toMatchObject({ outcome: 'issued' });
    expect(asked).toEqual(['all']);
  });

  it('an order while the CA has valid authorizations checks CAA alone, wherever the zone is', async () => {
    harness.clock.pass(shortlyBeforeMs);
    hasMoved = true;
    const changes = harness.records.presents;
    expect(await issue()).toMatchObject({ outcome: 'issued' });
    expect([asked, harness.records.presents]).toEqual([['caa'], changes]);
  });

  it('an order after that is held back if the zone has moved, and costs nothing', async () => {
    harness.clock.pass(lifetimeMs);
    hasMoved = true;
    expect(await issue()).toMatchObject({ decision: 'wait', reason: 'PreflightFailed' });
    expect([asked, harness.ca.count('newOrder')]).toEqual([['all'], 1]);
  });

  it('authorizations that serve again end when they did before', async () => {
    harness.clock.pass(shortlyBeforeMs);
    await issue();
    harness.clock.pass(lifetimeMs - shortlyBeforeMs);
    hasMoved = true;
    expect(await issue()).toMatchObject({ reason: 'PreflightFailed' });
  });
});

describe('what is known is of no use, so that a zone that moved holds the order back,', () => {
  beforeEach(async () => {
    await issue();
    hasMoved = true;
  });

  it.each<[string, () => unknown]>([
    [
      'where the CA never said it, as to the version before',
      () => harness.store.record('shop', { authorizations: null }),
    ],
    [
      'for another profile',
      () => Object.assign(harness.inventory.issuers.default ?? {}, { profile: 'tlsserver' }),
    ],
    ['for a new account', () => (harness.ca.accountUrl = 'https://ca.example/acct/2')],
  ])('%s', async (_, change) => {
    await change();
    expect(await issue()).toMatchObject({ decision: 'wait', reason: 'PreflightFailed' });
    expect(harness.ca.count('newOrder')).toBe(1);
  });

  it('for a name more', async () => {
    expect(await issue({ domains: [...domains, 'new.example.com'] })).toMatchObject({
      reason: 'PreflightFailed',
    });
  });

  it('at a fallback issuer, whose authorizations the first issuer does not share', async () => {
    begin([shop], { attempts: 1 }, { second: {} });
    await issue({ fallbackIssuers: ['second'] });
    hasMoved = true;
    harness.ca.failures.next('newOrder', new AcmeError('Unreachable', 'the CA does not answer'));
    expect(await issue({ fallbackIssuers: ['second'] })).toMatchObject({ outcome: 'failed' });
    harness.clock.pass(dayMs);
    expect(await issue({ fallbackIssuers: ['second'] })).toMatchObject({ reason: 'PreflightFailed' });
    expect(harness.cas.get('second')?.count('newOrder')).toBe(0);
  });

  it('but an order is not held back where it is forced', async () => {
    await harness.store.record('shop', { authorizations: null });
    const line = await issue({}, { force: true });
    expect(line).toMatchObject({ outcome: 'issued', warnings: [/^example\.com\. NS: /] });
  });
});

describe('a CA that asks for a proof although it said that it needs none', () => {
  it('costs one order: the next one waits for the zone', async () => {
    await issue();
    hasMoved = true;
    harness.ca.forgetProofs();
    expect(await issue()).toMatchObject({ outcome: 'failed' });
    expect(harness.state('shop').authorizations).toBeUndefined();
    harness.clock.pass(dayMs);
    expect(await issue()).toMatchObject({ decision: 'wait', reason: 'PreflightFailed' });
    expect(harness.ca.count('newOrder')).toBe(2);
  });
});

describe('what the CA is asked', () => {
  it('is an authorization, in place of the order, where one record proves the names', async () => {
    await issue();
    expect(harness.ca.calls).toEqual([
      'newOrder',
      'readAuthorization',
      'readAuthorization',
      'answerChallenge',
      'answerChallenge',
      'readAuthorization',
      'finalize',
      'downloadCertificate',
    ]);
    const { authorizations } = harness.state('shop');
    expect(authorizations?.methods).toEqual(['dns-01']);
    const sinceMs = harness.clock.now().getTime() + 30 * dayMs - (authorizations?.expires.getTime() ?? 0);
    expect(sinceMs).toBeLessThan(1_000);
  });

  it('is an authorization more, and the order, where several records do', async () => {
    begin([{ ...shop, domains: [...domains, 'www.example.com'] }]);
    await harness.run();
    expect(harness.ca.calls.slice(-4)).toEqual([
      'readAuthorization',
      'readOrder',
      'finalize',
      'downloadCertificate',
    ]);
    expect(harness.state('shop').authorizations?.methods).toEqual(['dns-01']);
  });

  it('is nothing more of an order that needs no proof, as it said', async () => {
    await issue();
    const calls = harness.ca.calls.length;
    await issue();
    expect(harness.ca.calls.slice(calls)).toEqual(['newOrder', 'finalize', 'downloadCertificate']);
  });

  it('is each authorization, once, of an order that needs no proof and of which that was not known', async () => {
    await issue();
    await harness.store.record('shop', { authorizations: null });
    const before = harness.ca.count('readAuthorization');
    expect(await issue()).toMatchObject({ outcome: 'issued' });
    expect([asked, harness.ca.count('readAuthorization')]).toEqual([['all'], before + domains.length]);
    expect(await issue()).toMatchObject({ outcome: 'issued' });
    expect([asked, harness.ca.count('readAuthorization')]).toEqual([['caa'], before + domains.length]);
  });

  it('is nothing more where names are proved by a record that the CA looks at for every order', async () => {
    harness.ca.lasting = true;
    harness.ca.reusesAuthorizations = false;
    await issue();
    expect(harness.ca.count('readAuthorization')).toBe(domains.length);
    expect(harness.state('shop').authorizations).toBeUndefined();
  });

  it('may stay without an answer: the certificate is stored, and the next order checks DNS', async () => {
    const read = harness.ca.readAuthorization.bind(harness.ca);
    harness.ca.readAuthorization = async (url) => {
      if (harness.ca.count('answerChallenge') > 0) throw new AcmeError('Unreachable', 'no answer');
      return read(url);
    };
    expect(await issue()).toMatchObject({ outcome: 'issued' });
    expect(harness.log.events()).toContain('authorizations not read');
    await issue();
    expect(asked).toEqual(['all']);
  });

  it('may be answered without an end: every order checks DNS', async () => {
    harness.ca.authorizationLifetimeMs = undefined;
    await issue();
    await issue();
    expect(asked).toEqual(['all']);
  });
});

it('a tag that says until 2099 is not believed, and is corrected', async () => {
  await issue();
  const { authorizations } = harness.state('shop');
  if (!authorizations) throw new Error('nothing was recorded');
  const far = new Date('2099-01-01T00:00:00Z');
  await harness.store.record('shop', { authorizations: { ...authorizations, expires: far } });
  hasMoved = true;
  expect(await issue()).toMatchObject({ reason: 'PreflightFailed' });
  expect(harness.state('shop').authorizations).toBeUndefined();
  expect(harness.log.events()).toContain('tags disagreed');
});

it('a dry run predicts no change of DNS where no proof is needed, and two where it is', async () => {
  await issue();
  const predict = async () => {
    harness.exchange({ ...shop, key: 'rsa-2048' });
    return (await harness.run({ dryRun: true })).report.predicted;
  };
  expect(await predict()).toMatchObject({ newOrder: 1, ChangeResourceRecordSets: 0 });
  harness.clock.pass(30 * dayMs);
  expect(await predict()).toMatchObject({ newOrder: 1, ChangeResourceRecordSets: 2 });
});

it('no rehearsal where no proof is needed: a test CA would want one', async () => {
  begin([shop], { rehearsal: 'staging', attempts: 9 }, { staging: {} });
  const staging = () => harness.cas.get('staging')?.count('newOrder');
  await issue();
  harness.ca.failures.next('finalize', new AcmeError('Unreachable', 'the CA does not answer'));
  hasMoved = true;
  expect(await issue()).toMatchObject({ outcome: 'failed' });
  await harness.store.record('shop', { order: null });
  harness.clock.pass(dayMs);
  expect(await issue()).toMatchObject({ outcome: 'issued' });
  expect(staging()).toBe(0);
});
