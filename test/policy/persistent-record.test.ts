// Which TXT values at a persistent name prove it: both drafts, and what each parameter does.
import { describe, expect, test } from 'vitest';
import {
  hashedAccountUri,
  persistentValue,
  provesDomain,
  provingUris,
} from '../../lib/policy/dns/persistent-record.ts';

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

const plain = persistentValue('ca.example', account.url, false);
const hashed = persistentValue('ca.example', hashedAccountUri(prefix, 'example.com', account), false);
const everywhere = persistentValue('ca.example', hashedAccountUri(prefix, '*', account), false);
const foreign = persistentValue('ca.example', 'https://ca.example/acct/1', false);
const proves = (text: string, domain: string, ofCa: string | undefined) =>
  provesDomain(text, domain, {
    issuers: ['ca.example'],
    accountUris: provingUris(domain, account, ofCa),
    now,
  });

describe('a value at the persistent name, at a CA of the older draft,', () => {
  const cases: readonly [string, string, string, boolean][] = [
    ['the account', plain, 'example.com', true],
    ['a hash of the account', hashed, 'example.com', false],
    ['another account', foreign, 'example.com', false],
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
  test.each(cases)('with %s proves the name, or does not', (_title, text, domain, isProof) => {
    expect(proves(text, domain, undefined)).toBe(isProof);
  });
});

describe('a value at the persistent name, at a CA of the newer draft,', () => {
  const cases: readonly [string, string, string, boolean][] = [
    ['a hash of the account', hashed, 'example.com', true],
    ['the hash for every name', everywhere, 'example.com', true],
    ['the hash for another name', hashed, 'www.example.com', false],
    [
      'a hash below another prefix',
      hashed.replace('ca.example/account', 'other.example/a'),
      'example.com',
      false,
    ],
    ['the account itself, which that draft has given up', plain, 'example.com', false],
    ['a hash and an end that is over', `${hashed}; persistUntil=${until(0)}`, 'example.com', false],
  ];
  test.each(cases)('with %s proves the name, or does not', (_title, text, domain, isProof) => {
    expect(proves(text, domain, prefix)).toBe(isProof);
  });
});
