import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { chooseProof } from '../../lib/adapters/acme/challenges.ts';
import type { Authorization, Challenge } from '../../lib/ports/acme.ts';

const noReport = (problem: string) => {
  throw new Error(problem);
};
const once01 = { directory: 'https://acme.ca.example/directory' } as const;
const persist01 = { ...once01, challenge: 'dns-persist-01' } as const;
const now = () => new Date('2027-01-01T00:00:00Z');
const prover = { thumbprint: 'thumb', accountUrl: 'https://ca.example/acct/7', now };
const once: Challenge = { type: 'dns-01', url: 'https://ca.example/c/1', token: 'token', status: 'pending' };
const lasting: Challenge = {
  type: 'dns-persist-01',
  url: 'https://ca.example/c/2',
  issuerDomains: ['stranger.example', 'ca.example'],
  status: 'pending',
};

function authorization(isWildcard: boolean, ...challenges: readonly Challenge[]): Authorization {
  const url = 'https://ca.example/a/1';
  return { url, name: 'shop.example.com', isWildcard, status: 'pending', challenges };
}

test('dns-01 is a digest of token and key, whatever else the CA offers', () => {
  expect(chooseProof(authorization(true, lasting, once), once01, prover, noReport)).toEqual({
    challenge: once,
    name: '_acme-challenge.shop.example.com',
    value: createHash('sha256').update('token.thumb').digest('base64url'),
    isLasting: false,
  });
});

test.each([
  [false, 'ca.example; accounturi=https://ca.example/acct/7'],
  [true, 'ca.example; accounturi=https://ca.example/acct/7; policy=wildcard'],
])('dns-persist-01 names CA and account, and the policy for a wildcard: %s', (isWildcard, value) => {
  const name = '_validation-persist.shop.example.com';
  expect(chooseProof(authorization(isWildcard, once, lasting), persist01, prover, noReport)).toEqual({
    challenge: lasting,
    name,
    value,
    isLasting: true,
    isMetBy: expect.any(Function),
  });
});

test.each<[string, readonly Challenge[], string | undefined]>([
  ['is not offered', [once], 'dns-01'],
  ['has no name of the CA', [{ ...lasting, issuerDomains: [] }, once], 'dns-01'],
  ['is offered alone', [lasting], 'dns-persist-01'],
  ['is not offered, nor anything that DNS answers', [{ ...once, type: 'http-01' }], undefined],
])('where dns-persist-01 %s the proof is one that the CA takes', (_, challenges, type) => {
  const proof = chooseProof(authorization(false, ...challenges), persist01, prover, noReport);
  expect(proof?.challenge.type).toBe(type);
});

const letsEncrypt = { ...lasting, issuerDomains: ['letsencrypt.org'] };
const local = 'https://127.0.0.1:14000/dir';

test.each([
  ['its domain', 'https://acme-v02.api.letsencrypt.org/directory', undefined],
  ['what the inventory says', local, ['other.example', 'letsencrypt.org']],
])('a lasting record names a CA by %s', (_, directory, caaIdentity) => {
  const issuer = { challenge: 'dns-persist-01', directory, caaIdentity } as const;
  const proof = chooseProof(authorization(false, letsEncrypt, once), issuer, prover, noReport);
  expect(proof?.value).toBe('letsencrypt.org; accounturi=https://ca.example/acct/7');
});

test.each([
  ['another CA', 'https://acme.evil.example/directory', letsEncrypt],
  ['another CA below the same public suffix', 'https://acme.evil.org/directory', letsEncrypt],
  [
    'the suffix that it shares with others',
    'https://a.github.io/directory',
    { ...lasting, issuerDomains: ['github.io'] },
  ],
  ['its IP address', local, { ...lasting, issuerDomains: ['127.0.0.1'] }],
  ['its one label', 'https://ca/dir', { ...lasting, issuerDomains: ['ca'] }],
])('a lasting record never names %s: dns-01 is taken and the reason told, or none is given', (_, directory, challenge) => {
  const issuer = { challenge: 'dns-persist-01', directory } as const;
  const reported: string[] = [];
  const report = (problem: string) => void reported.push(problem);
  expect(chooseProof(authorization(false, challenge, once), issuer, prover, report)?.challenge).toBe(once);
  const [domain = ''] = challenge.issuerDomains ?? [];
  expect(reported).toEqual([expect.stringContaining(`write caaIdentity: ${domain} at the issuer`)]);
  expect(() => chooseProof(authorization(false, challenge), issuer, prover, report)).toThrow('caaIdentity');
});

test("a lasting record never names a stranger's account", () => {
  const challenge = { ...lasting, accountUrl: 'https://ca.example/acct/8' };
  expect(() => chooseProof(authorization(false, challenge), persist01, prover, noReport)).toThrow(
    'which is not our account there (https://ca.example/acct/7)',
  );
});

describe('the newer draft of dns-persist-01', () => {
  const meta = { accountHashPrefix: 'https://ca.example/account-hash/' };
  const newer = { ...lasting, issuerDomains: ['ca.example'] };
  const vector = {
    thumbprint: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    accountUrl: 'https://ca.example/acct/123',
    meta,
    now,
  };
  const one = (isWildcard: boolean, challenge: Challenge): Authorization => ({
    ...authorization(isWildcard, challenge, once),
    name: 'example.com',
  });
  const hashed =
    'ca.example; accounturi=https://ca.example/account-hash/sha-256/5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw';

  test.each([
    [false, hashed],
    [true, `${hashed}; policy=wildcard`],
  ])("has a hash of the account in the record, by the draft's test vector (wildcard: %s)", (isWildcard, value) => {
    const proof = chooseProof(one(isWildcard, newer), persist01, vector, noReport);
    expect(proof).toEqual({
      challenge: newer,
      name: '_validation-persist.example.com',
      value,
      isLasting: true,
      isMetBy: expect.any(Function),
    });
  });

  test('and the older one at once: both values are to stand side by side', () => {
    const both = { ...newer, accountUrl: vector.accountUrl };
    expect(chooseProof(one(false, both), persist01, vector, noReport)).toMatchObject({
      value: hashed,
      olderValue: 'ca.example; accounturi=https://ca.example/acct/123',
    });
  });

  test('takes what stands in DNS for its value where it proves as much, until it ends', () => {
    const until = (day: string) => `${hashed}; persistUntil=${Date.parse(day) / 1_000}`;
    const isMetBy = (isWildcard: boolean, text: string) =>
      chooseProof(one(isWildcard, newer), persist01, vector, noReport)?.isMetBy?.(text);
    expect(isMetBy(false, until('2027-01-02'))).toBe(true);
    expect(isMetBy(false, until('2026-12-31'))).toBe(false);
    expect(isMetBy(true, until('2027-01-02'))).toBe(false);
    expect(isMetBy(true, `${until('2027-01-02')}; policy=wildcard`)).toBe(true);
    expect(isMetBy(false, 'ca.example; accounturi=https://ca.example/acct/123')).toBe(false);
  });

  test('names the CA as its directory does', () => {
    const names = { ...newer, issuerDomains: ['old.ca.example', 'ca.example'] };
    const prover = { ...vector, meta: { ...meta, issuerDomainNames: ['ca.example'] } };
    expect(chooseProof(one(false, names), persist01, prover, noReport)?.value).toBe(hashed);
  });

  test.each([
    [{ issuerDomainNames: ['ca.example', 'www.ca.example'] }, 'also has the name www.ca.example'],
    [{ caaIdentities: ['other.ca.example'] }, 'caaIdentities do not have ca.example'],
  ])('is not answered where challenge and directory contradict each other: %j', (change, words) => {
    const prover = { ...vector, meta: { ...meta, ...change } };
    const reported: string[] = [];
    const proof = chooseProof(one(false, newer), persist01, prover, (text) => void reported.push(text));
    expect(proof).toMatchObject({ challenge: once, fallbackReason: expect.stringContaining(words) });
    expect(reported).toEqual([proof?.fallbackReason]);
  });
});

test('dns-01 in place of dns-persist-01 says why', () => {
  expect(chooseProof(authorization(false, once), persist01, prover, noReport)?.fallbackReason).toContain(
    'does not offer dns-persist-01',
  );
  expect(chooseProof(authorization(false, once), once01, prover, noReport)?.fallbackReason).toBeUndefined();
});
