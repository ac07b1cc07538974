import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { chooseProof } from '../../lib/acme/challenges.ts';
import type { Authorization, Challenge } from '../../lib/acme-ports.ts';

const prover = { thumbprint: 'thumb', accountUrl: 'https://ca.example/acct/7' };
const once: Challenge = { type: 'dns-01', url: 'https://ca.example/c/1', token: 'token', status: 'pending' };
const lasting: Challenge = {
  type: 'dns-persist-01',
  url: 'https://ca.example/c/2',
  issuerDomains: ['ca.example', 'other.example'],
  status: 'pending',
};

function authorization(isWildcard: boolean, ...challenges: readonly Challenge[]): Authorization {
  const url = 'https://ca.example/a/1';
  return { url, name: 'shop.example.com', isWildcard, status: 'pending', challenges };
}

test('dns-01 is a digest of token and key, whatever else the CA offers', () => {
  expect(chooseProof(authorization(true, lasting, once), undefined, prover)).toEqual({
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
  expect(chooseProof(authorization(isWildcard, once, lasting), 'dns-persist-01', prover)).toEqual({
    challenge: lasting,
    name,
    value,
    isLasting: true,
  });
});

test.each<[string, readonly Challenge[], string | undefined]>([
  ['not offered', [once], 'dns-01'],
  ['without a name of the CA', [{ ...lasting, issuerDomains: [] }, once], 'dns-01'],
  ['alone', [lasting], 'dns-persist-01'],
  ['beside nothing that DNS answers', [{ ...once, type: 'http-01' }], undefined],
])('dns-persist-01 %s', (_, challenges, type) => {
  const proof = chooseProof(authorization(false, ...challenges), 'dns-persist-01', prover);
  expect(proof?.challenge.type).toBe(type);
});
