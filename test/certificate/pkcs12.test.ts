// Keystores: read by OpenSSL, as Node has it built in, and the same for the same input. Java reads them in test/real.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createSecureContext, createServer } from 'node:tls';
import { expect, test } from 'vitest';
import { writeKeystore } from '../../lib/certificate/pkcs12.ts';
import type { KeyType } from '../../lib/certificate/spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { mintChain } from './minting.ts';

const validity = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 86_400_000) };
const domains = ['shop.example.com'];

test.for<[KeyType, string]>([
  ['ecdsa-p256', 'geheim'],
  ['ecdsa-p384', 'with ünïcode – and spaces'],
  ['rsa-2048', 'x'.repeat(100)],
])('a server takes key and whole chain from a keystore of %s under the password "%s"', async ([
  keyType,
  passphrase,
]) => {
  const { chain, key, root } = await mintChain({ domains, ...validity, keyType, intermediates: 2 });
  const server = createServer({ pfx: writeKeystore({ chain, key }, passphrase), passphrase });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const client = connect({ port, host: '127.0.0.1', servername: 'shop.example.com', ca: root });
  // Only with both intermediates from the server does its chain lead to the root.
  await once(client, 'secureConnect');
  expect(client.authorized).toBe(true);
  const served = createHash('sha256').update(client.getPeerCertificate().raw).digest('hex');
  expect(served).toBe(readCertificate(chain).fingerprint);
  client.destroy();
  server.close();
});

test('a keystore opens with its own password alone', async () => {
  const pfx = writeKeystore(await mintChain({ domains, ...validity }), 'geheim');
  for (const passphrase of ['Geheim', 'geheim ', '']) {
    expect(() => createSecureContext({ pfx, passphrase })).toThrow('mac verify failure');
  }
});

test('the same chain, key and password give the same bytes; no part of them is as in a keystore of another', async () => {
  const [one, other] = [await mintChain({ domains, ...validity }), await mintChain({ domains, ...validity })];
  const keystore = writeKeystore(one, 'geheim');
  expect(writeKeystore(one, 'geheim').equals(keystore)).toBe(true);
  const salt = (bytes: Buffer) => bytes.subarray(-20, -4).toString('hex');
  const salts = [keystore, writeKeystore(one, 'secret'), writeKeystore(other, 'geheim')].map(salt);
  expect(new Set(salts).size).toBe(3);
});
