import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { readElements, UnparsableError } from '../../lib/certificate/der.ts';
import { keyTypes } from '../../lib/certificate/spec.ts';
import { certificateId, readCertificate } from '../../lib/certificate/x509.ts';
import { type MintedChain, mintChain } from '../minting/certificates.ts';

const notBefore = new Date('2026-01-01T00:00:00Z');
const notAfter = new Date('2026-04-01T00:00:00Z');
let minted: MintedChain;

beforeAll(async () => {
  minted = await mintChain({
    domains: ['Shop.example.com', '*.shop.example.com'],
    notBefore,
    notAfter,
    serial: '0087654321',
    authorityKeyId: '69885b6b87464041e1b37b847ba0ae2cde01c8d4',
  });
});

test('a certificate gives its facts from PEM and from DER alike', () => {
  const node = new X509Certificate(minted.chain);
  const facts = readCertificate(minted.chain);
  expect(facts).toEqual({
    names: ['shop.example.com', '*.shop.example.com'],
    notBefore,
    notAfter,
    fingerprint: node.fingerprint256.replaceAll(':', '').toLowerCase(),
    serial: '0087654321',
    authorityKeyId: '69885b6b87464041e1b37b847ba0ae2cde01c8d4',
    issuer: 'Minted Intermediate 1',
    commonName: 'Shop.example.com',
    keyType: 'ecdsa-p256',
  });
  expect(readCertificate(node.raw)).toEqual(facts);
});

test('the certificate id is that of the test vector of RFC 9773 §4.1, leading 00 of the serial kept', () => {
  expect(certificateId(readCertificate(minted.chain))).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
});

test('a certificate without an authority key identifier has no certificate id', async () => {
  const { chain } = await mintChain({ domains: ['a.example'], notBefore, notAfter, authorityKeyId: 'none' });
  const facts = readCertificate(chain);
  expect(facts.authorityKeyId).toBeUndefined();
  expect(certificateId(facts)).toBeUndefined();
});

test.each(keyTypes.filter((type) => type !== 'rsa-4096'))('the key type %s is told', async (keyType) => {
  const { chain } = await mintChain({ domains: ['a.example'], notBefore, notAfter, keyType });
  expect(readCertificate(chain).keyType).toBe(keyType);
});

describe('hostile bytes give an error and nothing worse', () => {
  test('for every place a certificate can be cut off', () => {
    const der = new X509Certificate(minted.chain).raw;
    for (let length = 0; length < der.length; length += 1) {
      expect(() => readCertificate(der.subarray(0, length))).toThrow(UnparsableError);
    }
  });

  test('for any single changed byte: facts or a coded error', () => {
    const der = new X509Certificate(minted.chain).raw;
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (index, byte) => {
        const changed = Uint8Array.from(der);
        changed[index] = byte;
        try {
          expect(readCertificate(changed).fingerprint).toHaveLength(64);
        } catch (error) {
          expect(error).toBeInstanceOf(UnparsableError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => readCertificate(bytes)).toThrow(UnparsableError);
      }),
    );
  });

  test('for an extension that stands twice, which readers would take differently', async () => {
    const names = (value: string) => new x509.SubjectAlternativeNameExtension([{ type: 'dns', value }]);
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=a.example',
      notBefore,
      notAfter,
      keys: await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']),
      signingAlgorithm: algorithm,
      extensions: [names('a.example'), names('b.example')],
    });
    expect(() => readCertificate(certificate.toString('pem'))).toThrow('stands twice');
  });

  test('for text that is no certificate, and for more than 64 KB', () => {
    expect(() => readCertificate('nonsense')).toThrow(UnparsableError);
    expect(() => readCertificate(`${minted.chain}${' '.repeat(65_536)}`)).toThrow('over 64 KB');
  });
});

describe('DER is read strictly', () => {
  test.each([
    ['a short length', '0401ff', 1],
    ['two elements', '04000500', 2],
    ['nothing', '', 0],
    ['a length of 128 in two octets', `048180${'00'.repeat(128)}`, 1],
    ['a length of 256 in three octets', `04820100${'00'.repeat(256)}`, 1],
  ])('%s', (_, hex, count) => {
    expect(readElements(Buffer.from(hex, 'hex'))).toHaveLength(count);
  });

  test.each([
    ['an indefinite length', '30800000', 'indefinite'],
    ['a length of 127 in two octets', `04817f${'00'.repeat(127)}`, 'not minimal'],
    ['a length of 255 in three octets', `048200ff${'00'.repeat(255)}`, 'not minimal'],
    ['a length in five octets', '04850000000001ff', 'over 4 octets'],
    ['a length of 4 GB', '0484ffffffff00', 'cut off'],
    ['a tag without length', '04', 'cut off'],
    ['a high tag number', '1f8101', 'tag number'],
    ['contents one short', '0402ff', 'cut off'],
  ])('%s is refused', (_, hex, message) => {
    expect(() => readElements(Buffer.from(hex, 'hex'))).toThrow(message);
  });
});
