// PEM taken apart: which blocks there are, whatever stands around them.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { certificatesIn, derOf, holdsPrivateKey, splitPem, writePem } from '../../lib/certificate/pem.ts';

const [one, other] = [
  writePem('CERTIFICATE', Buffer.from('one')),
  writePem('CERTIFICATE', Buffer.from('other')),
];
const parameters = writePem('DH PARAMETERS', Buffer.alloc(100, 7));

it('gives each block with its label, in its order and as it was written, and passes over what stands around them', () => {
  const text = `Bag Attributes\r\n${one}subject=/CN=shop\n${parameters.replaceAll('\n', '\r\n')}${other}-----`;
  expect(splitPem(text)).toEqual([
    { label: 'CERTIFICATE', text: one.trim() },
    { label: 'DH PARAMETERS', text: parameters.replaceAll('\n', '\r\n').trim() },
    { label: 'CERTIFICATE', text: other.trim() },
  ]);
  expect(certificatesIn(text)).toEqual([one.trim(), other.trim()]);
});

it.each([
  ['that has no end', one.slice(0, 40) + other, 1],
  ['that has the end of another label', one.replace('END CERTIFICATE', 'END DH PARAMETERS') + other, 1],
  ['that has no beginning', one.slice(5) + other, 1],
  ['at all in an empty text', '', 0],
])('gives no block %s', (_, text, count) => {
  expect(certificatesIn(text)).toHaveLength(count);
});

it('writes what OpenSSL reads, and reads it back, whatever its line ends', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const pem = writePem('PUBLIC KEY', der);
  expect(pem).toBe(publicKey.export({ type: 'spki', format: 'pem' }));
  expect(createPublicKey(pem).equals(publicKey)).toBe(true);
  for (const block of [pem, pem.replaceAll('\n', '\r\n'), pem.trim()]) expect(derOf(block)).toEqual(der);
});

it('sees a private key of any kind, also one that is cut off', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pkcs8 = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const sec1 = String(privateKey.export({ type: 'sec1', format: 'pem' }));
  expect([pkcs8, sec1, pkcs8.slice(0, 40), one].map(holdsPrivateKey)).toEqual([true, true, true, false]);
});
