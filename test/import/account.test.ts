// Importing the ACME accounts of other tools, each from a fixture in that tool's format.

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, it } from 'vitest';
import { importAccount } from '../../lib/import/account.ts';
import type { ImportRequest } from '../../lib/requests/import.ts';
import { MemoryAccounts } from '../fakes/accounts.ts';
import { FakeLog } from '../fakes/log.ts';

const directory = 'https://acme-v02.api.letsencrypt.org/directory';
const url = 'https://acme-v02.api.letsencrypt.org/acme/acct/123';
const issuers = { default: { directory, contact: [], agreeToTerms: true } } as const;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

function importText(
  text: string,
  accounts = new MemoryAccounts(),
  change: Partial<NonNullable<ImportRequest['account']>> = {},
) {
  const ports = { accounts, readMaterial: async () => text, log: new FakeLog() };
  const inventory = { issuers, clusters: {}, certificates: [] };
  const signal = new AbortController().signal;
  return importAccount({ issuer: 'default', ...change }, ports, { inventory, signal });
}

const pkcs8 = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const pkcs1 = rsa.export({ type: 'pkcs1', format: 'pem' }).toString();
const base64 = (text: string) => Buffer.from(text).toString('base64');
const v01 = 'https://acme-v01.api.letsencrypt.org/acme/reg/123';

it.each<[tool: string, text: string, key: KeyObject, url: string | undefined]>([
  ['K11 kube-lego', JSON.stringify({ 'tls.key': pkcs1, 'acme-registration-url': v01 }), rsa, undefined],
  [
    'K11 kube-lego, as kubectl prints its Secret',
    JSON.stringify({
      kind: 'Secret',
      data: { 'tls.key': base64(pkcs1), 'acme-registration-url': base64(url) },
    }),
    rsa,
    url,
  ],
  [
    'K11 an early kube-lego',
    JSON.stringify({ 'tls.key': pkcs1, 'acme-registration.json': JSON.stringify({ uri: v01 }) }),
    rsa,
    undefined,
  ],
  [
    'certbot',
    JSON.stringify({
      'private_key.json': rsa.export({ format: 'jwk' }),
      'regr.json': { body: {}, uri: url },
    }),
    rsa,
    url,
  ],
  [
    'certbot, files as text',
    JSON.stringify({
      'private_key.json': JSON.stringify(ec.export({ format: 'jwk' })),
      'regr.json': JSON.stringify({ body: {}, uri: url }),
    }),
    ec,
    url,
  ],
  ['cert-manager', JSON.stringify({ 'tls.key': pkcs8(rsa) }), rsa, undefined],
  ['PEM alone', ec.export({ type: 'sec1', format: 'pem' }).toString(), ec, undefined],
])('%s: the account becomes that of the CA, its URL kept where it is one of that CA', async (_, text, key, kept) => {
  const accounts = new MemoryAccounts();
  expect(await importText(text, accounts)).toMatchObject({ outcome: 'imported', directory, url: kept });
  expect(accounts.kept.get(directory)).toEqual({ key: pkcs8(key), url: kept, contact: [] });
  expect(await importText(text, accounts)).toMatchObject({ outcome: 'unchanged', url: kept });
});

it('K11 an account that is there stays, unless the event says replace', async () => {
  const accounts = new MemoryAccounts();
  accounts.kept.set(directory, { key: pkcs8(ec), url, contact: ['mailto:ops@example.com'] });
  const refused = await importText(pkcs1, accounts);
  expect(refused).toMatchObject({
    outcome: 'refused',
    reason: 'Exists',
    message: expect.stringContaining(url),
  });
  expect(accounts.kept.get(directory)?.url).toBe(url);
  expect(await importText(pkcs1, accounts, { replace: true })).toMatchObject({ outcome: 'imported' });
  expect(accounts.kept.get(directory)).toEqual({ key: pkcs8(rsa), url: undefined, contact: [] });
});

it('an account made at the same moment is not overwritten', async () => {
  const accounts = new MemoryAccounts();
  accounts.read = async () => undefined;
  accounts.kept.set(directory, { key: pkcs8(ec), url, contact: [] });
  expect(await importText(pkcs1, accounts)).toMatchObject({ outcome: 'refused', reason: 'Exists' });
});

const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
const edwards = generateKeyPairSync('ed25519').privateKey;
const locked = rsa
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString();

it.each<[reason: string, message: string, text: string, issuer?: string]>([
  ['Unknown', 'no issuer "other"', pkcs1, 'other'],
  ['Unreadable', 'no account key', 'nothing'],
  ['Unreadable', 'no account key', '{}'],
  ['Unreadable', 'no account key', '{"private_key.json": {"kty": "RSA"}}'],
  ['Unreadable', 'not encrypted', locked],
  ['UnusableKey', 'RSA with 1024 bits', pkcs8(small)],
  ['UnusableKey', 'ed25519', pkcs8(edwards)],
])('nothing is kept where it is %s: %s', async (reason, message, text, issuer = 'default') => {
  const accounts = new MemoryAccounts();
  const answer = await importText(text, accounts, { issuer });
  expect(answer).toMatchObject({ outcome: 'refused', reason, message: expect.stringContaining(message) });
  expect(accounts.kept.size).toBe(0);
  expect(JSON.stringify(answer)).not.toMatch(/PRIVATE KEY|MII/);
});
