import { beforeAll, describe, expect, test } from 'vitest';
import { readElements, readOnly } from '../../lib/certificate/der.ts';
import { ffdhe2048, layOut } from '../../lib/certificate/secret-layout.ts';
import { pemFormats } from '../../lib/certificate/spec.ts';
import { type MintedChain, mintChain } from '../minting/certificates.ts';

const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2026-04-01T00:00:00Z') };
let minted: MintedChain;

beforeAll(async () => {
  minted = await mintChain({ domains: ['shop.example.com'], ...validity });
});

test('P15 writes the six ployst keys', () => {
  const { chain, key } = minted;
  expect(layOut(minted, { format: 'ployst' })).toStrictEqual({
    type: 'Opaque',
    values: {
      proxycert: chain,
      proxykey: key,
      'tls.crt': chain,
      'tls.key': key,
      'tls.pem': chain + key,
      dhparam: ffdhe2048,
    },
  });
});

test('N01 writes exactly the three files that nginx-ssl-proxy mounts', () => {
  const { chain, key } = minted;
  expect(layOut(minted, { format: 'nginx-ssl-proxy' })).toStrictEqual({
    type: 'Opaque',
    values: { proxycert: chain, proxykey: key, dhparam: ffdhe2048 },
  });
});

test('the format tls holds chain and key in the type Ingress controllers ask for', () => {
  const { chain, key } = minted;
  expect(layOut(minted, { format: 'tls' })).toStrictEqual({
    type: 'kubernetes.io/tls',
    values: { 'tls.crt': chain, 'tls.key': key },
  });
});

test('the format combined-pem is one file, key then chain', () => {
  const { chain, key } = minted;
  expect(layOut(minted, { format: 'combined-pem' })).toStrictEqual({
    type: 'Opaque',
    values: { 'tls-combined.pem': key + chain },
  });
});

test.for([
  ['tls', { cert: 'server.crt', key: 'server.key' }, 'Opaque', ['server.crt', 'server.key']],
  [
    'tls',
    { cert: 'tls.crt', key: 'tls.key', chain: 'ca.crt' },
    'kubernetes.io/tls',
    ['ca.crt', 'tls.crt', 'tls.key'],
  ],
  ['combined-pem', { pem: 'haproxy.pem' }, 'Opaque', ['haproxy.pem']],
  ['pkcs12', {}, 'Opaque', ['keystore.p12']],
  ['pkcs12', { keystore: 'shop.p12' }, 'Opaque', ['shop.p12']],
] as const)('the format %s with the names %j is of type %s and has the keys %j', ([
  format,
  keys,
  type,
  names,
]) => {
  const layout = layOut(minted, { format, keys, password: 'geheim' });
  expect(layout.type).toBe(type);
  expect(Object.keys(layout.values).toSorted()).toEqual(names);
});

test('the key "chain" holds what follows the leaf, and nothing where nothing does', () => {
  const keys = { cert: 'a', key: 'b', chain: 'c' };
  const [leaf = '', ...others] = minted.certificates;
  expect(layOut(minted, { format: 'tls', keys }).values.c).toBe(others.join(''));
  const alone = layOut({ chain: leaf, key: minted.key }, { format: 'tls', keys });
  expect(alone.values.c).toBe('');
});

describe('N14 every PEM is leaf first and whole for OpenSSL', () => {
  test.each(pemFormats)('in the format %s, whatever line ends came in', (format) => {
    const spelled = {
      chain: `\r\n${minted.chain.replaceAll('\n', '\r\n')}\r\n\r\n`,
      key: minted.key.trimEnd(),
    };
    expect(layOut(spelled, { format })).toStrictEqual(layOut(minted, { format }));
    for (const [name, value] of Object.entries(layOut(spelled, { format }).values)) {
      expect(value, name).toMatch(/^-----BEGIN [^\r]*-----END [A-Z ]+-----\n$/s);
    }
    const values = Object.values(layOut(spelled, { format }).values).join('');
    expect(values.indexOf(minted.certificates[0] ?? '')).toBeLessThan(
      values.indexOf(minted.certificates[1] ?? ''),
    );
  });
});

test('P16 dhparam is the group ffdhe2048 of RFC 7919, the same across renewals', async () => {
  const renewed = await mintChain({ domains: ['shop.example.com'], ...validity });
  expect(layOut(renewed, { format: 'ployst' }).values.dhparam).toBe(
    layOut(minted, { format: 'nginx-ssl-proxy' }).values.dhparam,
  );

  const der = Buffer.from(ffdhe2048.replace(/-----.*-----|\n/g, ''), 'base64');
  const [prime, generator] = readElements(readOnly(der, 0x30).contents);
  expect(BigInt(`0x${Buffer.from(prime?.contents ?? []).toString('hex')}`)).toBe(ffdhe2048Prime());
  expect([...(generator?.contents ?? [])]).toEqual([2]);
});

/** RFC 7919 appendix A.1: p = 2^2048 - 2^1984 + (floor(2^1918 * e) + 560316) * 2^64 - 1. */
function ffdhe2048Prime(): bigint {
  return 2n ** 2048n - 2n ** 1984n + (scaledEuler(1918n) + 560_316n) * 2n ** 64n - 1n;
}

/** floor(2^bits * e) by the series of 1/n!, with 64 bits more than asked for against rounding. */
function scaledEuler(bits: bigint): bigint {
  let term = 2n ** (bits + 64n);
  let sum = 0n;
  for (let n = 1n; term > 0n; n += 1n) {
    sum += term;
    term /= n;
  }
  return sum >> 64n;
}
