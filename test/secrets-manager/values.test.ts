// Values in AWS secrets: our own come back, anything else is said to be unparsable without being quoted.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  readAccount,
  readValue,
  writeAccount,
  writeCertificate,
  writePending,
  writeSpecification,
} from '../../lib/adapters/secrets-manager/values.ts';
import type { PendingOrder, StoredCertificate, StoredSpec } from '../../lib/certificate/stored.ts';

const spec: StoredSpec = {
  name: 'shop',
  domains: ['shop.example.com', '*.shop.example.com'],
  issuer: 'default',
  fallbackIssuers: ['spare'],
  key: 'ecdsa-p256',
  rotateKey: 'never',
  renewBeforeMs: 86_400_000,
  targets: [
    {
      cluster: 'prod',
      namespace: 'shop',
      secret: 'shop-tls',
      format: 'tls',
      restart: [{ kind: 'Deployment', name: 'web' }],
      restartStrategy: 'annotation',
      adopt: false,
      replace: false,
    },
  ],
  source: 'registration',
};
const certificate: StoredCertificate = {
  chain: 'the chain',
  key: 'the key',
  issuer: 'https://ca.example/dir',
  spec,
};
const order: PendingOrder = {
  key: 'the key',
  keyType: 'ecdsa-p256',
  issuer: 'https://ca.example/dir',
  profile: 'classic',
  domains: spec.domains,
  run: 'run-1',
  deadline: new Date('2026-11-22T10:00:00Z'),
  spec,
};

test('names that were asked for and cannot be read are as if they were absent', () => {
  const { requestedNames: _, ...others } = certificate;
  for (const odd of [7, [7], {}, null, ['']]) {
    const value = JSON.stringify({ ...JSON.parse(writeCertificate(others)), requestedNames: odd });
    expect(readValue(value)).toEqual({ kind: 'certificate', certificate: others });
  }
});

test('each kind of value is read as it was written', () => {
  expect(readValue(writeCertificate(certificate))).toEqual({ kind: 'certificate', certificate });
  const wide = { ...certificate, profile: 'classic', requestedNames: ['shop.example.com'] };
  expect(readValue(writeCertificate(wide))).toEqual({ kind: 'certificate', certificate: wide });
  expect(readValue(writeSpecification(spec))).toEqual({ kind: 'specification', spec });
  expect(readValue(writeSpecification(undefined))).toEqual({ kind: 'specification', spec: undefined });
  expect(readValue(writePending(order))).toEqual({ kind: 'pending', order });
  const late = { orderUrl: 'https://ca.example/order/1', since: order.deadline };
  const slow = { ...order, unfinished: late, unfetched: late };
  expect(readValue(writePending(slow))).toEqual({ kind: 'pending', order: slow });
  const account = { key: 'the key', url: 'https://ca.example/acct/1', contact: ['mailto:ops@example.com'] };
  expect(readAccount(writeAccount('https://ca.example/dir', account))).toEqual(account);
});

test('a certificate is stored as other tools read it: tls.crt, tls.key and version 1', () => {
  expect(JSON.parse(writeCertificate({ ...certificate, spec: undefined }))).toEqual({
    version: 1,
    'tls.crt': 'the chain',
    'tls.key': 'the key',
    issuer: 'https://ca.example/dir',
  });
});

test('the same contents are the same bytes, in whatever order they were put together', () => {
  const turned = (value: object): object => Object.fromEntries(Object.entries(value).reverse());
  const same = { ...turned(certificate), spec: turned(spec) } as StoredCertificate;
  expect(Object.keys(same)).not.toEqual(Object.keys(certificate));
  expect(writeCertificate(same)).toBe(writeCertificate(certificate));
});

test('what is wrong with a value is told by its place, never by its contents', () => {
  const secret = 'MIGHAgEAMBMG';
  const wrong: unknown[] = [
    secret,
    [secret],
    { [secret]: secret },
    { version: secret },
    { version: 1, 'tls.key': secret },
    { version: 1, 'tls.crt': secret, 'tls.key': [secret], issuer: { [secret]: 1 } },
    { version: 1, 'tls.crt': 'x', 'tls.key': secret, issuer: 'x', spec: { ...spec, key: secret } },
    { version: 1, pending: secret },
    { version: 1, pending: { ...order, deadline: secret } },
    { version: 2, 'tls.crt': 'x', 'tls.key': secret, issuer: 'x' },
  ];
  for (const value of [`${secret} is not JSON`, ...wrong.map((entry) => JSON.stringify(entry))]) {
    const read = readValue(value);
    expect(read, value).toMatchObject({ kind: 'unparsable' });
    expect(JSON.stringify(read)).not.toContain(secret);
  }
  expect(readValue(JSON.stringify({ version: 1, 'tls.crt': 'x', 'tls.key': 'y' }))).toEqual({
    kind: 'unparsable',
    problem: 'not as Certrelay writes it: issuer (invalid_type)',
  });
  expect(readValue(undefined).kind).toBe('unparsable');
});

test('any value at all is read without an error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (value) => {
      expect(readValue(value).kind).toMatch(/^(unparsable|specification)$/);
    }),
  );
});
