// Runs of the packaged functions with a Pebble whose answers are bent on the way, as other CAs and proxies
// write theirs: each certificate is issued by one order, or fails with a sentence.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readCertificate } from '../../lib/certificate/x509.ts';
import {
  type Bend,
  type BendableAnswer,
  type BendingProxy,
  startBendingProxy,
} from './parts/bending-proxy.ts';
import { locate } from './parts/locate.ts';
import { type Pebble, startPebble } from './parts/pebble.ts';
import { freePort } from './parts/process.ts';
import { logged, SandboxHarness } from './sandbox-harness.ts';

const lacks = locate('pebble') ? undefined : 'run test/real/install pebble';
const name = 'a run with a Pebble whose answers are bent';

/** Members that RFC 8555 knows, by what tells the object. */
const members = {
  newNonce: ['newAuthz', 'keyChange', 'revokeCert', 'renewalInfo', 'meta'],
  identifiers: ['error', 'notBefore', 'notAfter', 'certificate', 'expires', 'profile'],
  challenges: ['expires', 'wildcard'],
  detail: ['subproblems', 'identifier', 'instance', 'title'],
} as const;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Changes the body where it is a JSON object. */
const onObjects =
  (change: (body: Record<string, unknown>, answer: BendableAnswer) => object): Bend =>
  (answer) =>
    isObject(answer.body) ? { ...answer, body: change(answer.body, answer) } : answer;

const withNulls = onObjects((body) => {
  const known = Object.entries(members).flatMap(([tell, names]) => (tell in body ? names : []));
  const nulls = Object.fromEntries(known.map((member) => [member, null]));
  const late = 'identifiers' in body && body.status !== 'pending' ? { authorizations: null } : {};
  return { ...nulls, ...body, ...late };
});

const otherTypes: Bend = (answer) => ({
  ...answer,
  headers: {
    ...answer.headers,
    'content-type': isObject(answer.body) ? 'text/html; charset=utf-8' : 'application/json',
  },
});

/** Every URL of the CA as a path. */
const relative: Bend = (answer) => {
  const shorten = (text: string) => text.replaceAll(/https:\/\/127\.0\.0\.1:\d+(?=\/)/g, '');
  const { location, ...headers } = answer.headers;
  return {
    ...answer,
    headers: { ...headers, ...(typeof location === 'string' ? { location: shorten(location) } : {}) },
    body: isObject(answer.body) ? JSON.parse(shorten(JSON.stringify(answer.body))) : answer.body,
  };
};

const twice = onObjects((body) =>
  'identifiers' in body && Array.isArray(body.authorizations)
    ? { ...body, authorizations: body.authorizations.flatMap((url: unknown) => [url, url]) }
    : body,
);

/** Loses the first answer to each challenge, finalize and read of an order or certificate. */
function losing(): Bend {
  const lost = new Set<string>();
  return (answer) => {
    const isKind = /\/(chalZ|finalize-order|my-order|certZ)\//.test(answer.path);
    if (!isKind || answer.method !== 'POST' || lost.has(answer.path)) return answer;
    lost.add(answer.path);
    return 'lost';
  };
}

/** An order that is `ready`, then valid without a certificate, for a while after it is valid. */
function stale(): Bend {
  let looks = 0;
  return onObjects((body) => {
    if (!('identifiers' in body) || body.status !== 'valid') return body;
    looks += 1;
    const { certificate, ...rest } = body;
    if (looks <= 2) return { ...rest, status: 'ready' };
    return looks <= 4 ? { ...rest, certificate: null } : { ...rest, certificate };
  });
}

/** The chain backwards, and each certificate twice. */
const shuffled: Bend = (answer) => {
  if (typeof answer.body !== 'string' || !answer.body.includes('BEGIN CERTIFICATE')) return answer;
  const all = answer.body.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
  return { ...answer, body: [...all, ...all].reverse().join('') };
};

describe.skipIf(lacks !== undefined)(lacks === undefined ? name : `${name}: ${lacks}`, () => {
  let pebble: Pebble;
  let proxy: BendingProxy;
  let harness: SandboxHarness;

  beforeAll(async () => {
    const dnsPort = await freePort();
    pebble = await startPebble({
      dnsServer: `127.0.0.1:${dnsPort}`,
      strict: true,
      environment: { PEBBLE_CHAIN_LENGTH: '3' },
      config: {
        profiles: {
          classic: { description: 'ninety days', validityPeriod: 90 * 86_400 },
          momentary: { description: 'ends at once', validityPeriod: 30 },
        },
      },
    });
    proxy = await startBendingProxy(pebble);
    // Without one, Pebble takes any.
    harness = await SandboxHarness.start({ realAuthority: proxy, dnsPort, issuer: { profile: 'classic' } });
    for (const [certificate] of cases) await harness.want(certificate);
    await harness.want('revoked');
    await harness.want('momentary', { issuer: 'momentary' });
    await harness.addIssuers({ momentary: { profile: 'momentary' } });
  });
  afterEach(() => {
    if (proxy) proxy.bend = (answer) => answer;
  });
  afterAll(async () => {
    await harness?.stop();
    await proxy?.stop();
    await pebble?.stop();
  });

  const cases: readonly (readonly [string, string, () => Bend])[] = [
    ['nulls', 'null in every optional member', () => withNulls],
    ['types', 'JSON as text/html, PEM as JSON', () => otherTypes],
    ['relative', 'relative URLs everywhere', () => relative],
    ['twice', 'each authorization twice', () => twice],
    ['lost', 'a first answer that is lost', losing],
    ['stale', 'orders that are behind after finalize', stale],
    ['shuffled', 'the chain backwards, with each certificate twice', () => shuffled],
  ];

  test.each(cases)('%s: with %s the certificate is issued, by one order', async (certificate, _, bend) => {
    proxy.bend = bend();
    const run = await harness.issue(certificate);
    expect(run.answer, run.log.join('\n')).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    expect(logged(run, 'order created')).toHaveLength(1);
    const chain = harness.chain(certificate).match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
    const facts = chain.map((pem) => readCertificate(pem));
    expect(new Set(facts.map(({ fingerprint }) => fingerprint)).size).toBe(facts.length);
    for (const [index, { issuer }] of facts.slice(0, -1).entries())
      expect(issuer).toBe(facts[index + 1]?.commonName);
  });

  test('an authorization that is revoked while its order is pending ends it in seconds, and force orders anew', async () => {
    proxy.bend = onObjects((body) => {
      if ('challenges' in body) return { ...body, status: 'revoked' };
      return 'identifiers' in body ? { ...body, status: 'pending' } : body;
    });
    const startedAt = Date.now();
    const failed = await harness.issue('revoked');
    expect(failed.error?.errorMessage).toContain('its authorization is revoked');
    expect(Date.now() - startedAt).toBeLessThan(30_000);
    proxy.bend = (answer) => answer;
    const forced = await harness.issue('revoked', { force: true });
    expect(forced.answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    expect(logged(forced, 'order created')).toHaveLength(1);
  });

  test('a CA whose certificates end at once is no loop: the first is a failure, and the next pass waits', async () => {
    const first = await harness.issue('momentary');
    expect(first.error?.errorMessage).toContain('the CA issued a certificate that ends too soon');
    const next = await harness.issue('momentary');
    expect(next.answer).toMatchObject({ certificates: [{ decision: 'wait', reason: 'BackingOff' }] });
    expect(logged(next, 'order created')).toEqual([]);
  });
});
