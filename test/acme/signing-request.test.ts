// Signing requests, read and verified by another library.
import 'reflect-metadata';
import { createPublicKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { keyMaker } from '../../lib/adapters/acme/keys.ts';

const name64 = `${'a'.repeat(60)}.com`;
const name65 = `a${name64}`;

beforeAll(() => x509.cryptoProvider.set(webcrypto));

async function read(key: string, domains: readonly string[]) {
  const request = new x509.Pkcs10CertificateRequest(await keyMaker.request(key, domains));
  const names = request.extensions.flatMap((extension) =>
    extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.toJSON() : [],
  );
  return { request, subject: request.subject, names: names.map(({ type, value }) => `${type} ${value}`) };
}

describe('a signing request', () => {
  it.each([
    'ecdsa-p256',
    'ecdsa-p384',
    'rsa-2048',
  ] as const)('is signed by the %s key it asks a certificate for', async (type) => {
    const key = await keyMaker.generate(type);
    const { request } = await read(key, ['example.com']);
    expect(await request.verify()).toBe(true);
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
    expect(Buffer.from(request.publicKey.rawData).equals(publicKey)).toBe(true);
  });

  it.each([
    ['the first name where it fits', ['example.com', '*.example.com'], 'CN=example.com'],
    ['one of 64 characters', [name64], `CN=${name64}`],
    ['the first that fits where the first has 65', [name65, 'example.com'], 'CN=example.com'],
    ['nothing where none fits', [name65], ''],
  ])('has as common name %s, and every name as an alternative name', async (_what, domains, subject) => {
    const found = await read(await keyMaker.generate('ecdsa-p256'), domains);
    expect(found.subject).toBe(subject);
    expect(found.names).toEqual(domains.map((domain) => `dns ${domain}`));
  });

  it('holds as many names as a certificate may have, long ones too', async () => {
    const domains = Array.from(
      { length: 100 },
      (_, index) => `${'n'.repeat(63)}.${'m'.repeat(63)}.${index}.example`,
    );
    const { request, names } = await read(await keyMaker.generate('ecdsa-p256'), domains);
    expect(names).toHaveLength(100);
    expect(await request.verify()).toBe(true);
  });
});
