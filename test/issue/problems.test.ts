// What tags remember of what stops an order: in words, since when, who is to blame, and when it is over.
import { describe, expect, it, test } from 'vitest';
import { judgeCertificate } from '../../lib/policy/health/certificate.ts';
import { AcmeError, type AcmeErrorCode } from '../../lib/ports/acme.ts';
import { DnsError } from '../../lib/ports/dns.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { RequestError } from '../../lib/requests/errors.ts';
import type { HealthWord } from '../../lib/state/health.ts';
import { dayMs, Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com']);
const challenge = '_acme-challenge.shop.example.com';
const minute = 60_000;

function acme(code: AcmeErrorCode, type?: string, status?: number): AcmeError {
  const problem = type === undefined ? undefined : { type, detail: 'said the CA', status, identifiers: [] };
  return new AcmeError(code, `the CA said ${type ?? code}`, { problem });
}

/** What fails an order, by where; the code and the cause that are noted. */
const failing: readonly (readonly [string, (harness: Harness) => void, string, string | undefined])[] = [
  ...(
    [
      [acme('Unreachable'), 'Unreachable', 'issuer/default'],
      [acme('Malformed'), 'Malformed', 'issuer/default'],
      [acme('Problem', 'serverInternal', 500), 'serverInternal', 'issuer/default'],
      [acme('Problem', 'about:blank', 503), 'about:blank', 'issuer/default'],
      [acme('Problem', 'about:blank', 400), 'about:blank', undefined],
      [acme('Problem', 'accountDoesNotExist', 400), 'accountDoesNotExist', 'issuer/default'],
      [acme('Problem', 'externalAccountRequired', 403), 'externalAccountRequired', 'issuer/default'],
      [acme('Problem', 'userActionRequired', 403), 'userActionRequired', 'issuer/default'],
      [acme('Problem', 'rateLimited', 429), 'rateLimited', undefined],
      [acme('Problem', 'rejectedIdentifier', 400), 'rejectedIdentifier', undefined],
      [acme('Problem', 'caa', 403), 'caa', undefined],
      [acme('Invalid', 'serverInternal'), 'serverInternal', undefined],
      [acme('Unsupported'), 'Unsupported', undefined],
      [new Error('never heard of'), 'Unexpected', undefined],
    ] as const
  ).map(
    ([error, code, cause]) =>
      [
        `newOrder: ${error.message}`,
        (harness: Harness) => harness.ca.failures.next('newOrder', error),
        code,
        cause,
      ] as const,
  ),
  [
    'connecting, for whatever the CA says',
    ({ failures }) => failures.next('connect', acme('Problem', 'unauthorized', 403)),
    'unauthorized',
    'issuer/default',
  ],
  [
    'connecting, for a binding that is not there',
    ({ failures }) => failures.next('connect', new StoreError('Failed', 'certrelay/eab/ca does not exist')),
    'Failed',
    'issuer/default',
  ],
  [
    'connecting, for want of rights',
    ({ failures }) => failures.next('connect', new StoreError('Denied', 'AWS denied it')),
    'Denied',
    'function/issue',
  ],
  [
    'a name that the CA does not validate',
    ({ ca }) => void ca.unwelcome.add('shop.example.com'),
    'unauthorized',
    undefined,
  ],
  [
    'DNS without a zone',
    ({ records }) => void records.failed.set(challenge, new DnsError('NoZone', 'no hosted zone')),
    'NoZone',
    undefined,
  ],
  [
    'DNS without rights',
    ({ records }) => void records.failed.set(challenge, new DnsError('Denied', 'AWS denied it')),
    'Denied',
    'function/issue',
  ],
  [
    'the claim, before there is any',
    ({ store }) => store.failures.next('claim', new StoreError('Throttled', 'AWS throttled it')),
    'Throttled',
    'function/issue',
  ],
  [
    'the look under the claim',
    ({ store }) => store.failures.next('describe', new StoreError('Failed', 'AWS failed')),
    'Failed',
    undefined,
  ],
  [
    'storing',
    ({ store }) => store.failures.next('put', new StoreError('TooLarge', 'the value is too large')),
    'TooLarge',
    undefined,
  ],
];

/** How `status` judges the certificate so long after now. */
function judgeLater(harness: Harness, laterMs: number) {
  const state = harness.state('shop');
  const stages = harness.store.kept.get('shop')?.stages;
  const entry = { state, current: stages?.get('AWSCURRENT'), pending: stages?.get('AWSPENDING') };
  const now = new Date(harness.clock.now().getTime() + laterMs);
  const rest = { clusters: {}, clusterTroubles: {}, agents: new Map<string, HealthWord>() };
  const context = { now, staleAfterMs: dayMs, probeFreshMs: dayMs, retiresGone: false, ...rest };
  return judgeCertificate({ name: 'shop', spec: shop, entry }, context);
}

describe.each(failing)('an order that fails by %s', (_, fail, code, cause) => {
  it('is told by `status` as long as it lasts, so that no schedule fails for it', async () => {
    const harness = new Harness([shop]);
    fail(harness);
    expect((await harness.run()).told).toEqual(['shop']);
    const { health, message } = judgeLater(harness, dayMs + minute);
    expect([health, message]).toEqual([
      'Degraded',
      expect.stringContaining(harness.state('shop').problem?.words ?? '?'),
    ]);
  });

  it('is noted with its words and its cause, and is over with the next success', async () => {
    const harness = new Harness([shop]);
    fail(harness);
    const { failures } = await harness.run();
    const { problem } = harness.state('shop');
    expect(problem).toMatchObject({ code, since: harness.clock.now() });
    expect(problem?.cause).toBe(cause);
    expect(failures[0]?.message).toContain(problem?.words);
    harness.records.failed.clear();
    harness.ca.unwelcome.clear();
    harness.clock.pass(dayMs);
    expect((await harness.run()).report.summary).toMatchObject({ issued: 1 });
    expect(harness.state('shop').problem).toBeUndefined();
  });
});

describe('what `status` could not tell fails a schedule’s call, too:', () => {
  it('a failure that could not be noted', async () => {
    const harness = new Harness([shop]);
    harness.store.failures.next('create', ...Array(3).fill(new StoreError('Denied', 'AWS denied it')));
    const { failures, told } = await harness.run();
    expect([failures.length, told]).toEqual([1, []]);
  });

  it('one that was noted as waiting only', async () => {
    const harness = new Harness([shop]);
    harness.store.failures.next('describe', new RequestError('Deadline', 'time ran out'));
    const { failures, told } = await harness.run();
    expect([failures.length, told]).toEqual([1, []]);
  });

  it('one of a certificate that is let go', async () => {
    const harness = new Harness([shop]);
    await harness.run();
    harness.exchange();
    const retire = { kind: 'retire', at: harness.clock.now(), revoke: false } as const;
    await harness.store.record('shop', { retire });
    harness.store.failures.next('read', new StoreError('Denied', 'AWS denied it'));
    const { failures, told } = await harness.run();
    expect([failures.length, told]).toEqual([1, []]);
  });

  it('what a dry run finds', async () => {
    const harness = new Harness([shop]);
    harness.store.failures.next('describe', new StoreError('Denied', 'AWS denied it'));
    const { failures, told } = await harness.run({ certificates: ['shop'], dryRun: true });
    expect([failures.length, told]).toEqual([1, []]);
  });
});

it('keeps when it began through back-off, other errors and a pause, and writes nothing that says the same', async () => {
  const harness = new Harness([shop]);
  const since = harness.clock.now();
  const fail = (error: Error) => harness.ca.failures.next('newOrder', error);
  const refusal = (seconds: number) =>
    new AcmeError('Problem', `too many, retry after 2026-11-22T10:00:${seconds}Z`, {
      problem: { type: 'rateLimited', detail: '', identifiers: [] },
    });
  const writes: number[] = [];
  const run = async (afterMs: number) => {
    harness.clock.pass(afterMs);
    const before = problemWrites(harness);
    await harness.run();
    writes.push(problemWrites(harness) - before);
  };
  fail(refusal(10));
  await run(0);
  // Backs off.
  await run(10_000);
  fail(refusal(59));
  await run(minute);
  fail(acme('Unreachable'));
  await run(10 * minute);
  expect(harness.state('shop').problem).toMatchObject({ code: 'Unreachable', since });
  await harness.store.record('shop', { pausedSince: harness.clock.now() });
  await run(dayMs);
  expect(writes).toEqual([1, 0, 0, 1, 0]);
  expect(harness.state('shop').problem).toMatchObject({ code: 'Unreachable', since });
});

/** How often the trouble of a certificate was written. */
function problemWrites({ recorded }: Harness): number {
  return recorded.filter((change) => 'problem' in change).length;
}

test('300 certificates that DNS holds back cost a write each, once, and none in a dry run', async () => {
  const many = Array.from({ length: 300 }, (_, index) => specOf(`c${index}`, [`c${index}.example.com`]));
  const harness = new Harness(many);
  let looks = 0;
  harness.preflight = {
    describe: async () => ({ identities: [] }),
    gather: async (domains) => ({
      names: domains.map((domain) => ({
        domain,
        caa: { kind: 'none' },
        recordName: `_acme-challenge.${domain}`,
        aliases: { kind: 'ends', names: [`_acme-challenge.${domain}`] },
        zone: { kind: 'none', name: `v${++looks}.example.com` },
      })),
    }),
  };
  await harness.run({ dryRun: true });
  expect(harness.store.kept.size).toBe(0);
  await harness.run();
  // At most 200 AWS secrets are made a pass.
  expect(harness.store.kept.size).toBe(200);
  await harness.run();
  expect(problemWrites(harness)).toBe(300);
  const before = harness.store.calls.length;
  await harness.run();
  expect(harness.store.calls.slice(before).filter((call) => /^(record|create)/.test(call))).toEqual([]);
  expect(harness.state('c299').problem).toMatchObject({ code: 'PreflightFailed' });
});

test('a certificate that cannot be read is noted as such, and not any more once it can', async () => {
  const harness = new Harness([shop]);
  await harness.run();
  harness.exchange({ ...shop, issuer: 'gone' });
  await harness.run();
  expect(harness.state('shop').problem).toMatchObject({
    code: 'Unreadable',
    words: expect.stringContaining('asks for issuer "gone", which the inventory does not have'),
  });
  harness.exchange(shop);
  await harness.run();
  expect(harness.state('shop').problem).toBeUndefined();
});

test('words of a CA are one line of 400 characters at most, without PEM, and its code is one word', async () => {
  const harness = new Harness([shop]);
  const pem = `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----`;
  const detail = `\u001b[31mred\u001b[0m\r\n<b>${pem}</b> \u202e${'x'.repeat(9_000)}${pem}`;
  const problem = { type: 'very odd\ntype', detail, identifiers: [] };
  harness.ca.failures.next('newOrder', new AcmeError('Problem', `refused: ${detail}`, { problem }));
  await harness.run();
  const found = harness.state('shop').problem;
  expect(found?.code).toBe('very-odd-type');
  expect(found?.words).toMatch(/^refused: {2}\[31mred \[0m <b>\(PEM\)<\/b> {2}x+…x+$/);
  expect(found?.words.length).toBeLessThanOrEqual(400);
});

test('what is not written down fails nothing: the log says so, and a later pass writes it', async () => {
  const harness = new Harness([shop]);
  await harness.run();
  const record = harness.store.record.bind(harness.store);
  harness.clock.pass(61 * dayMs);
  harness.ca.failures.next('newOrder', acme('Unreachable'), acme('Unreachable'));
  harness.store.record = async (name, state) => {
    if ('problem' in state) throw new StoreError('Denied', 'AWS denied it');
    await record(name, state);
  };
  const { report } = await harness.run();
  expect(report.certificates).toMatchObject([{ outcome: 'failed' }]);
  expect(harness.log.lines).toContainEqual(
    expect.objectContaining({ level: 'warn', event: 'state not recorded' }),
  );
  harness.store.record = record;
  harness.clock.pass(minute);
  await harness.run();
  expect(harness.state('shop').problem?.code).toBe('Unreachable');
});

test('an order that the CA takes long for, and one there was no time for, change nothing', async () => {
  const harness = new Harness([shop]);
  harness.ca.failures.next('newOrder', acme('Unreachable'));
  await harness.run();
  const { problem } = harness.state('shop');
  harness.clock.pass(minute);
  const { report } = await harness.run({}, { workUntil: harness.clock.now() });
  expect(report.certificates).toMatchObject([{ outcome: 'waiting' }]);
  expect(harness.state('shop').problem).toEqual(problem);
});

describe('a forced order of a certificate that is not due', () => {
  const forced = { certificates: ['shop'], force: true };

  it('leaves neither trouble nor back-off once a pass finds nothing to order, which is written once', async () => {
    const harness = new Harness([shop]);
    await harness.run();
    harness.ca.failures.next('newOrder', acme('Unreachable'));
    await harness.run(forced);
    expect(judgeLater(harness, 0)).toMatchObject({ reason: 'BackingOff' });
    await harness.run({ certificates: ['shop'] });
    expect(judgeLater(harness, 0)).toMatchObject({ health: 'Healthy' });
    const { failures, error, nextAttempt, problem } = harness.state('shop');
    expect([failures, error, nextAttempt, problem]).toEqual([undefined, undefined, undefined, undefined]);
    const written = harness.recorded.length;
    await harness.run();
    expect(harness.recorded.length).toBe(written);
  });

  it('that AWS has denied is told, whatever is kept, until a certificate is issued', async () => {
    const depot = specOf('depot', ['depot.example.com']);
    const harness = new Harness([shop, depot]);
    await harness.run();
    const deny = () =>
      harness.store.failures.next('claim', new StoreError('Denied', 'AWS denied PutSecretValue'));
    deny();
    await harness.run(forced);
    harness.clock.pass(minute);
    await harness.run({ certificates: ['shop'] });
    await harness.run();
    const { cause, message, command } = judgeLater(harness, 0);
    expect([cause, message]).toEqual([
      'function/issue',
      expect.stringContaining('AWS denied PutSecretValue'),
    ]);
    expect(command).toMatch(/force/);
    harness.clock.pass(dayMs);
    await harness.run({ certificates: ['depot'], force: true });
    await harness.run();
    expect(judgeLater(harness, 0)).toMatchObject({ health: 'Healthy' });
    deny();
    await harness.run(forced);
    await harness.run(forced);
    expect(judgeLater(harness, 0)).toMatchObject({ health: 'Healthy' });
  });
});
