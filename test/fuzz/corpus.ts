// What comes in from outside and is not as it should be: values kept because they are awkward, and any
// others.
import fc from 'fast-check';

/** Values that parsers have stumbled over somewhere. */
export const awkward: readonly unknown[] = [
  null,
  '',
  ' ',
  0,
  -1,
  1e308,
  2 ** 53,
  true,
  [],
  {},
  [[[[]]]],
  '__proto__',
  'constructor',
  JSON.parse('{"__proto__": {"polluted": true}}'),
  { constructor: { prototype: { polluted: true } } },
  'null',
  '\u0000',
  '\ud800',
  '\u202e',
  'a'.repeat(100_000),
  '../../../etc/passwd',
  "'; DROP TABLE certificates; --",
  'https://169.254.169.254/latest/meta-data/',
  'javascript:alert(1)',
  'https://user:password@ca.example/',
  'not a url',
  'urn:ietf:params:acme:error:',
  '2026-02-30T00:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '9999999999999',
  '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
  '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
  '*.*.example.com',
  'xn--',
  `${'a'.repeat(64)}.example.com`,
];

/** Anything that JSON can say, the awkward ones often. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(fc.constantFrom(...awkward), fc.jsonValue());

/** A document with one, two or three of its parts made into anything, or taken out. */
export function broken(document: unknown): fc.Arbitrary<unknown> {
  const places = placesIn(document);
  const change = fc.record({
    path: fc.constantFrom(...places),
    value: fc.oneof({ weight: 4, arbitrary: anything }, { weight: 1, arbitrary: fc.constant(undefined) }),
  });
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce((made, { path, value }) => withChange(made, path, value), document));
}

type Path = readonly (string | number)[];

function placesIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Array.isArray(value)
    ? value.flatMap((one, index) => placesIn(one, [...path, index]))
    : Object.entries(value).flatMap(([key, one]) => placesIn(one, [...path, key]));
  return [path, ...inner];
}

function withChange(document: unknown, [first, ...rest]: Path, value: unknown): unknown {
  if (first === undefined) return value;
  if (typeof document !== 'object' || document === null) return document;
  if (Array.isArray(document)) {
    return document.map((one: unknown, index) => (index === first ? withChange(one, rest, value) : one));
  }
  const inner: unknown = Reflect.get(document, first);
  return { ...document, [first]: withChange(inner, rest, value) };
}
