// State on tags: whatever is written comes back, and whatever a person wrote harms nothing.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeState, encodeState } from '../../lib/adapters/secrets-manager/tags.ts';
import { keyTypes } from '../../lib/certificate/spec.ts';
import type { CertificateState } from '../../lib/state/state.ts';

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 700 }).map((value) => value.toWellFormed());
const date = fc.date({
  min: new Date('1970-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
});
const byCluster = fc.dictionary(fc.constantFrom('edge', 'edge-2', 'Lab_1'), text, { minKeys: 1, maxKeys: 3 });
/** Of what is kept by cluster, every cluster's that the state does not name cleared. */
const withoutOthers = ({ signatures, reports }: CertificateState) => {
  const none = { edge: '', 'edge-2': '', Lab_1: '' };
  return { signatures: { ...none, ...signatures }, reports: { ...none, ...reports } };
};
const state: fc.Arbitrary<CertificateState> = fc.record(
  {
    version: text,
    names: text,
    issuer: text,
    profile: text,
    key: fc.constantFrom(...keyTypes),
    fingerprint: text,
    notBefore: date,
    notAfter: date,
    source: fc.constant('registration' as const),
    targets: text,
    order: text,
    failures: fc.nat({ max: 999_999_999 }),
    error: text,
    nextAttempt: date,
    pausedSince: date,
    pauseReason: text,
    revoked: text,
    revoking: text,
    deployed: text,
    served: text,
    notServedSince: date,
    probedAt: date,
    signatures: byCluster,
    reports: byCluster,
  },
  { requiredKeys: [] },
);

test('what is written to tags is read from them, over the tags of any state before', () => {
  fc.assert(
    fc.property(state, state, (before, after) => {
      const tags = new Map([
        ...Object.entries(encodeState(before)),
        ...Object.entries(encodeState({ ...cleared, ...after, ...withoutOthers(after) })),
      ]);
      expect(decodeState(tags)).toEqual(after);
    }),
  );
});

test('tags stay within what AWS takes: its characters, 128 for a key, 256 for a value', () => {
  fc.assert(
    fc.property(state, (written) => {
      for (const [key, value] of Object.entries(encodeState(written))) {
        expect(key).toMatch(/^[A-Za-z0-9+\-=._:/@]{1,128}$/);
        expect(value).toMatch(/^[A-Za-z0-9+\-=._:/@]{0,256}$/);
      }
    }),
  );
});

test('tags that somebody else wrote are passed over, never an error', () => {
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom(...Object.keys(cleared), 'order.1', '__proto__').map((k) => `certrelay:${k}`),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.string({ unit: 'binary' }))), (tags) => {
      const read = decodeState(new Map(tags));
      expect(read.notAfter?.getTime()).not.toBeNaN();
      expect(read.failures ?? 0).toBeGreaterThanOrEqual(0);
    }),
  );
});

const cases: [why: string, tags: Record<string, string>, state: CertificateState][] = [
  [
    'a URL is readable as it stands',
    { 'certrelay:order': 'https://ca.example/o/1' },
    { order: 'https://ca.example/o/1' },
  ],
  ['other characters are bytes in hex', { 'certrelay:error': 'a=3F=C3=BC=3D' }, { error: 'a?ü=' }],
  ['a long value goes on', { 'certrelay:order': 'a=', 'certrelay:order.1': 'b' }, { order: 'ab' }],
  ['a left over part does not count', { 'certrelay:order': 'a', 'certrelay:order.1': 'b' }, { order: 'a' }],
  ['a value with a lost part is absent', { 'certrelay:order': 'a=' }, {}],
  ['an empty value is absent', { 'certrelay:order': '' }, {}],
  ['bytes that are not UTF-8 are absent', { 'certrelay:order': '=FF' }, {}],
  ['no date', { 'certrelay:notAfter': 'tomorrow' }, {}],
  ['no day of that month', { 'certrelay:notAfter': '2026-02-30T00:00:00.000Z' }, {}],
  ['a negative count', { 'certrelay:failures': '-1' }, {}],
  ['an unknown key type', { 'certrelay:key': 'dsa' }, {}],
  ['tags of others', { order: 'x', 'other:order': 'y' }, {}],
];

test.each(cases)('%s', (_, tags, expected) => {
  expect(decodeState(new Map(Object.entries(tags)))).toEqual(expected);
});

const cleared = {
  version: null,
  names: null,
  issuer: null,
  profile: null,
  key: null,
  fingerprint: null,
  notBefore: null,
  notAfter: null,
  source: null,
  targets: null,
  order: null,
  failures: null,
  error: null,
  nextAttempt: null,
  pausedSince: null,
  pauseReason: null,
  revoked: null,
  revoking: null,
  deployed: null,
  served: null,
  notServedSince: null,
  probedAt: null,
};
