import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseName, registeredDomain } from '../../lib/certificate/name-parsing.ts';
import { challengeName, coversName, findCovered, namesKey, sameNames } from '../../lib/certificate/names.ts';

const label63 = 'a'.repeat(63);
/** 237 characters: with `_acme-challenge.` before it exactly the 253 that DNS allows. */
const longest = `${label63}.${label63}.${label63}.${'b'.repeat(41)}.com`;

describe('a name is read as lower case punycode', () => {
  test.each([
    ['shop.example.com', 'shop.example.com'],
    ['Shop.EXAMPLE.com', 'shop.example.com'],
    ['shop.example.com.', 'shop.example.com'],
    ['*.shop.example.com', '*.shop.example.com'],
    ['müller.example', 'xn--mller-kva.example'],
    ['*.Müller.example', '*.xn--mller-kva.example'],
    ['xn--mller-kva.example', 'xn--mller-kva.example'],
    ['日本。example', 'xn--wgv71a.example'],
    ['a.b', 'a.b'],
    ['1.2.3.example', '1.2.3.example'],
    ['github.io', 'github.io'],
    ['*.github.io', '*.github.io'],
    [`${label63}.example.com`, `${label63}.example.com`],
    [longest, longest],
    [`*.${longest}`, `*.${longest}`],
  ])('%s', (text, name) => {
    expect(parseName(text)).toEqual({ name });
  });
});

describe('a name that no public CA signs is refused with what would be right', () => {
  test.each([
    ['', 'is empty'],
    [' ', 'is empty'],
    ['.', 'is not a DNS name'],
    ['*.', 'is not a DNS name'],
    ['localhost', 'one label only'],
    ['*.com', 'one label only'],
    ['co.uk', 'public suffix'],
    ['*.co.uk', 'public suffix'],
    ['a_b.example.com', 'underscore'],
    ['_acme-challenge.example.com', 'underscore'],
    ['192.0.2.1', 'IP address'],
    ['0x7f.1', 'IP address'],
    ['2001:db8::1', 'is not a DNS name'],
    ['[::1]', 'is not a DNS name'],
    ['a..example.com', 'empty label'],
    ['.example.com', 'empty label'],
    ['shop.example.com..', 'empty label'],
    ['-a.example.com', 'inner hyphens'],
    ['a-.example.com', 'inner hyphens'],
    ['a.*.example.com', '* where none may stand'],
    ['a*.example.com', '* where none may stand'],
    ['*.*.example.com', '* where none may stand'],
    ['*example.com', '* where none may stand'],
    ['＊.example.com', '* where none may stand'],
    ['xn--zz.example.com', 'not valid punycode'],
    ['ab--cd.example.com', 'not valid punycode'],
    ['shop.example.com/path', 'is not a DNS name'],
    ['shop.example.com:443', 'is not a DNS name'],
    ['https://shop.example.com', 'is not a DNS name'],
    ['%73hop.example.com', 'is not a DNS name'],
    ['a b.example.com', 'is not a DNS name'],
    ['shop.example.com\n', 'is not a DNS name'],
    [`a${label63}.example.com`, '63 are the most'],
    [`b${longest}`, '63 are the most'],
    [longest.replace('bb.com', 'bbb.com'), '237 characters are the most'],
  ])('%j', (text, problem) => {
    expect(parseName(text)).toEqual({ problem: expect.stringContaining(problem) });
  });

  test('and a very long text is not quoted whole', () => {
    const parsed = parseName('x'.repeat(100_000));
    expect('problem' in parsed && parsed.problem.length < 200).toBe(true);
  });
});

test('reading any text never throws, and reading a name again gives the same name', () => {
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.domain(), fc.webAuthority(), fc.ipV4Extended());
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = parseName(text);
      if ('name' in parsed) expect(parseName(parsed.name)).toEqual(parsed);
    }),
  );
});

describe('a wildcard covers exactly one more label', () => {
  test.each([
    ['*.example.com', 'shop.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'a.shop.example.com', false],
    ['*.example.com', '*.example.com', false],
    ['*.example.com', '.example.com', false],
    ['*.example.com', 'shop.example.org', false],
    ['shop.example.com', 'shop.example.com', false],
  ])('%s over %s: %s', (wildcard, name, expected) => {
    expect(coversName(wildcard, name)).toBe(expected);
  });

  test('and every wildcard beside a name it covers is found, the apex is not', () => {
    const domains = ['example.com', '*.example.com', 'a.example.com', 'b.a.example.com', 'b.example.com'];
    expect(findCovered(domains)).toEqual([
      { wildcard: '*.example.com', name: 'a.example.com' },
      { wildcard: '*.example.com', name: 'b.example.com' },
    ]);
  });
});

test.each([
  ['a.b.example.com', 'example.com'],
  ['*.example.co.uk', 'example.co.uk'],
  ['a.me.github.io', 'me.github.io'],
  ['github.io', 'github.io'],
  ['co.uk', 'co.uk'],
  ['a.example.test', 'example.test'],
])('limits for %s are counted at %s', (name, domain) => {
  expect(registeredDomain(name)).toBe(domain);
});

test('a wildcard and its apex share one challenge name', () => {
  expect(challengeName('*.shop.example.com')).toBe('_acme-challenge.shop.example.com');
  expect(challengeName('shop.example.com')).toBe('_acme-challenge.shop.example.com');
});

test('the key of a set of names forgets order and repetition, and nothing else', () => {
  const set = fc.uniqueArray(fc.domain(), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(set, set, (one, other) => {
      expect(namesKey([...one, ...one].reverse())).toBe(namesKey(one));
      expect(namesKey(one) === namesKey(other)).toBe(sameNames(one, other));
    }),
  );
  expect(namesKey(['b.example.com', 'a.example.com'])).toBe(
    '5c62fcb445599f5fea7370ae9f2be19b421ada96381eb706c0a5b19d625bd172',
  );
});

test.each([
  [['a.example', 'b.example'], ['b.example', 'a.example'], true],
  [['a.example'], ['a.example', 'a.example'], true],
  [['a.example'], ['a.example', 'b.example'], false],
  [['a.example', 'b.example'], ['a.example'], false],
  [['*.example.com'], ['a.example.com'], false],
  [[], [], true],
])('%j and %j: the same names is %s', (one, other, expected) => {
  expect(sameNames(one, other)).toBe(expected);
});
