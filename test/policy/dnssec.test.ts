// Whether the keys of a zone fit the DS records of its parent, by the examples of the RFCs.
import { describe, expect, test } from 'vitest';
import {
  type ChainFacts,
  type DnskeyRecord,
  type DsRecord,
  describeBrokenChain,
  isChainBroken,
  keyTag,
} from '../../lib/policy/dns/dnssec.ts';

const base64 = (text: string) => Buffer.from(text, 'base64');
/** RFC 4034 §5.4, RFC 4509 §2.3. */
const rsa: DnskeyRecord = {
  flags: 256,
  algorithm: 5,
  key: base64(
    'AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==',
  ),
};
/** RFC 6605 §6.1. */
const p256: DnskeyRecord = {
  flags: 257,
  algorithm: 13,
  key: base64('GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=='),
};
const ds = (text: string): DsRecord => {
  const [tag, algorithm, digestType, digest = ''] = text.split(' ');
  return {
    keyTag: Number(tag),
    algorithm: Number(algorithm),
    digestType: Number(digestType),
    digest: Buffer.from(digest, 'hex'),
  };
};
const sha1 = ds('60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118');
const sha256 = ds('60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A');
const ecdsa = ds('55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17');
const rsaChain = (records: readonly DsRecord[], keys = [rsa]): ChainFacts => {
  return { zone: 'dskey.example.com', ds: records, keys };
};
const ecdsaChain = (records: readonly DsRecord[], keys = [p256]): ChainFacts => {
  return { zone: 'example.net', ds: records, keys };
};

test('the key tags are those of the RFCs', () => {
  expect([keyTag(rsa), keyTag(p256)]).toEqual([60_485, 55_648]);
});

describe('a zone', () => {
  const cases: readonly [string, ChainFacts, boolean][] = [
    ['without DS records', ecdsaChain([]), false],
    ['whose key fits by SHA-1', rsaChain([sha1]), false],
    ['whose key fits by SHA-256', rsaChain([sha256]), false],
    ['whose key fits, of algorithm 13', ecdsaChain([ecdsa]), false],
    ['one of whose DS records fits', ecdsaChain([sha256, ecdsa]), false],
    ['one of whose keys fits', ecdsaChain([ecdsa], [rsa, p256]), false],
    [
      'whose key fits by SHA-1, while SHA-256 names another',
      rsaChain([sha1, { ...sha256, keyTag: 1 }]),
      true,
    ],
    ['whose key fits by SHA-1, beside another algorithm', rsaChain([sha1, ecdsa]), false],
    [
      'whose key fits by SHA-1, beside an unknown digest',
      rsaChain([sha1, { ...sha1, digestType: 3 }]),
      false,
    ],
    ['of another name with the same key', { ...ecdsaChain([ecdsa]), zone: 'example.org' }, true],
    ['whose DS record is of another key', ecdsaChain([sha256]), true],
    ['with DS records and no key', ecdsaChain([ecdsa], []), true],
    ['whose key signs no zone', ecdsaChain([ecdsa], [{ ...p256, flags: 1 }]), true],
    ['with DS records of an unknown digest alone', ecdsaChain([{ ...ecdsa, digestType: 3 }]), false],
    ['with DS records of an unknown algorithm alone', ecdsaChain([{ ...ecdsa, algorithm: 12 }], []), false],
  ];
  test.each(cases)('%s is as validators take it', (_title, chain, isBroken) => {
    expect(isChainBroken(chain)).toBe(isBroken);
  });
});

describe('the message of a broken chain', () => {
  test('has both sides, and the DS record that the registrar needs', () => {
    const message = describeBrokenChain(ecdsaChain([sha256]));
    expect(message).toContain('DS records for example.net (key tag 60485 algorithm 5 digest type 2 d4b7d520');
    expect(message).toContain('(key tag 55648 algorithm 13)');
    expect(message).toContain(
      'at the registrar of example.net, replace the DS records by "example.net. DS 55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17"',
    );
  });

  test('says to remove the DS records of a zone that is not signed', () => {
    const message = describeBrokenChain(ecdsaChain([ecdsa], []));
    expect(message).toMatch(/has no DNSKEY.*remove the DS records of example.net at its registrar/);
  });
});
