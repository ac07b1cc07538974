// Which TXT values at a persistent name prove it: both drafts, and what each parameter does.
import { describe, expect, test } from 'vitest';
import { hashedAccountUri, persistentValue, provesDomain } from '../../lib/policy/dns/persistent-record.ts';

const account = {
  url: 'https://ca.example/acct/123',
  thumbprint: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
};
const prefix = 'https://ca.example/account-hash/';
const now = new Date('2027-01-01T00:00:00Z');
const until = (offset: number) => Math.floor(now.getTime() / 1_000) + offset;

test.each([
  ['example.com', '5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw'],
  ['*.example.com', '5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw'],
  ['*', 'NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug'],
])("the hashed account URI of %s is that of the draft's test vector", (domain, digest) => {
  expect(hashedAccountUri(prefix, domain, account)).toBe(`${prefix}sha-256/${digest}`);
});

describe('a value at the persistent name', () => {
  const plain = persistentValue('ca.example', account.url, false);
  const hashed = persistentValue('ca.example', hashedAccountUri(prefix, 'example.com', account), false);
  const everywhere = persistentValue('ca.example', hashedAccountUri(prefix, '*', account), false);
  const cases: readonly [string, string, string, boolean][] = [
    ['the account', plain, 'example.com', true],
    ['a hash of the account', hashed, 'example.com', true],
    ['the hash for every name', everywhere, 'example.com', true],
    ['the hash for another name', hashed, 'www.example.com', false],
    [
      'another account',
      persistentValue('ca.example', 'https://ca.example/acct/1', false),
      'example.com',
      false,
    ],
    ['no account', 'ca.example', 'example.com', false],
    ['another CA', persistentValue('other.example', account.url, false), 'example.com', false],
    ['no wildcard', plain, '*.example.com', false],
    ['the wildcard', persistentValue('ca.example', account.url, true), '*.example.com', true],
    [
      'the wildcard, for the name itself',
      persistentValue('ca.example', account.url, true),
      'example.com',
      true,
    ],
    ['an end to come', `${plain}; persistUntil=${until(1)}`, 'example.com', true],
    ['an end that is over', `${plain}; persistUntil=${until(0)}`, 'example.com', false],
    ['an end that is no number', `${plain}; persistUntil=soon`, 'example.com', false],
    ['a tag that nobody knows', `${plain}; colour=blue`, 'example.com', true],
    ['a tag twice', `${plain}; accounturi=${account.url}`, 'example.com', false],
  ];
  test.each(cases)('with %s proves the name, or does not', (_title, text, domain, proves) => {
    expect(provesDomain(text, domain, { issuers: ['ca.example'], account, now })).toBe(proves);
  });
});
