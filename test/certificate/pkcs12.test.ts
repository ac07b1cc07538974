// Keystores: read by OpenSSL, as Node has it built in, and the same for the same input. Java reads them in
// test/real.
import { createECDH, createHash, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { connect, createSecureContext, createServer } from 'node:tls';
import { expect, test } from 'vitest';
import { provideKeystore } from '../../lib/certificate/keystore.ts';
import { earlierKeystoreRounds, writeKeystore } from '../../lib/certificate/pkcs12.ts';
import type { KeyType } from '../../lib/certificate/spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { countComputing } from '../computing-time.ts';
import { mintChain } from '../minting/certificates.ts';

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
  const salt = (bytes: Buffer) => bytes.subarray(-21, -5).toString('hex');
  const salts = [keystore, writeKeystore(one, 'secret'), writeKeystore(other, 'geheim')].map(salt);
  expect(new Set(salts).size).toBe(3);
});

test('every key of a keystore is derived in 100,000 rounds or more', async () => {
  const keystore = writeKeystore(await mintChain({ domains, ...validity }), 'geheim');
  // Twice in PBKDF2's parameters, once at the end of the MAC's: an INTEGER of three bytes.
  const rounds = keystore.toString('hex').match(/0203(0[1-9a-f]|[1-7][0-9a-f])[0-9a-f]{4}/g) ?? [];
  const counts = rounds.map((der) => Number.parseInt(der.slice(4), 16)).filter((count) => count === 100_000);
  expect(counts).toHaveLength(3);
});

/** A certificate that was made once; nothing looks at its dates here, and its key is another. */
const oldChain = `-----BEGIN CERTIFICATE-----
MIIBjzCCATSgAwIBAgIQMrwfGjWjL9XCgZcwrQnvKjAKBggqhkjOPQQDAjAgMR4w
HAYDVQQDExVNaW50ZWQgSW50ZXJtZWRpYXRlIDEwHhcNMjYwMTAxMDAwMDAwWhcN
MjcwMTAxMDAwMDAwWjAbMRkwFwYDVQQDExBqYXZhLmV4YW1wbGUuY29tMFkwEwYH
KoZIzj0CAQYIKoZIzj0DAQcDQgAEProeqmW2O7+mJ4TQeKHi7Wa1IIYvjt2Ci2k5
l6Tgi5dwtqASTQHpKVqQfBkr9TK9BYrOzbcDaI2WhFN0/omjgqNVMFMwGwYDVR0R
BBQwEoIQamF2YS5leGFtcGxlLmNvbTATBgNVHSUEDDAKBggrBgEFBQcDATAfBgNV
HSMEGDAWgBSl4PgZH3GDAydG+YlshWXy6RBBczAKBggqhkjOPQQDAgNJADBGAiEA
9stls2K5WT2zBBLOYmls2aY5KVmBA4hGE/9NIl1ftdACIQDIIyZP5RgJuCZ94wnR
THd6Bnv23ndNVV+8t9/0GyMaEg==
-----END CERTIFICATE-----
`;

test('what was written before there were seals is written again byte for byte, so that it is known', () => {
  // A key for this test alone, which no certificate has.
  const scalar = createHash('sha256').update('a keystore of the version before').digest();
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(scalar);
  const point = ecdh.getPublicKey();
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    d: scalar.toString('base64url'),
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  };
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const keystore = writeKeystore({ chain: oldChain, key }, 'geheim', earlierKeystoreRounds);
  const hash = createHash('sha256').update(keystore).digest('hex');
  expect(hash).toBe('67cc3616722bf1712de462f65865d3b7d74544fe998d10d8f861d54e5bf03b18');
});

test('a keystore with its seal is known again without deriving a key from the password', async () => {
  const pair = await mintChain({ domains, ...validity });
  const timed = <T>(work: () => T): readonly [T, number] => {
    const computedMs = countComputing();
    return [work(), computedMs()];
  };
  const [made, dear] = timed(() => provideKeystore(pair, 'sixteen letters!'));
  const [kept, cheap] = timed(() => {
    for (let pass = 0; pass < 20; pass += 1) provideKeystore(pair, 'sixteen letters!', made);
    return provideKeystore(pair, 'sixteen letters!', made);
  });
  expect(kept).toEqual(made);
  expect(cheap).toBeLessThan(dear);
});

test('the seal binds bytes, password, key and chain to each other', async () => {
  const [pair, other] = [
    await mintChain({ domains, ...validity }),
    await mintChain({ domains, ...validity }),
  ];
  const made = provideKeystore(pair, 'sixteen letters!');
  const bytes = Buffer.from(made.bytes);
  bytes[bytes.length - 1] = 0;
  const cases = [
    [pair, 'sixteen letters!', { ...made, bytes }],
    [pair, 'sixteen letters?', made],
    [{ ...pair, key: other.key }, 'sixteen letters!', made],
    [{ ...pair, chain: other.chain }, 'sixteen letters!', made],
    [pair, 'sixteen letters!', { bytes: made.bytes }],
  ] as const;
  const kept = cases.map(([of, password, held]) => provideKeystore(of, password, held).bytes === held.bytes);
  expect(kept).toEqual(cases.map(() => false));
});
