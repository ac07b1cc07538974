// State on tags: whatever is written comes back, and whatever a person wrote harms nothing.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { certificateTags } from '../../infra/template/tag-keys.ts';
import { decodeState, encodeState } from '../../lib/state/codec/tags.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { anyState, cleared } from './states.ts';

/** Of what is kept by cluster, every cluster's that the state does not name cleared. */
const withoutOthers = ({ signatures, reports }: CertificateState) => {
  const [text, report] = [
    { edge: '', 'edge-2': '', Lab_1: '' },
    { edge: {}, 'edge-2': {}, Lab_1: {} },
  ];
  return { signatures: { ...text, ...signatures }, reports: { ...report, ...reports } };
};

test('what is written to tags is read from them, over the tags of any state before', () => {
  fc.assert(
    fc.property(anyState, anyState, (before, after) => {
      const change = { ...cleared, ...after, ...withoutOthers(after) };
      const tags = new Map([...Object.entries(encodeState(before)), ...Object.entries(encodeState(change))]);
      expect(decodeState(tags)).toEqual({ ...after, reports: change.reports });
    }),
  );
});

test('tags stay within what AWS takes: its characters, 128 for a key, 256 for a value', () => {
  fc.assert(
    fc.property(anyState, (written) => {
      for (const [key, value] of Object.entries(encodeState(written))) {
        expect(key).toMatch(/^[A-Za-z0-9+\-=._:/@]{1,128}$/);
        expect(value).toMatch(/^[A-Za-z0-9+\-=._:/@]{0,256}$/);
      }
    }),
  );
});

test('tags that somebody else wrote are passed over, never an error', () => {
  const known = Object.keys(certificateTags).map((key) => (key.endsWith('/') ? `${key}edge` : key));
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom(...known, 'agent-report/edge', 'order.1', '__proto__').map((k) => `certrelay:${k}`),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.string({ unit: 'binary' }))), (tags) => {
      const read = decodeState(new Map(tags));
      expect(read.notAfter?.getTime()).not.toBeNaN();
      expect(read.failures ?? 0).toBeGreaterThanOrEqual(0);
      expect(() => encodeState(read)).not.toThrow();
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
  [
    'the spelling of a code before',
    { 'certrelay:problem': '2026-11-22T10:05:00.250Z=20Preflight=20-=20a=20b' },
    { problem: { since: new Date('2026-11-22T10:05:00.250Z'), code: 'PreflightFailed', words: 'a b' } },
  ],
  ['tags of others', { order: 'x', 'other:order': 'y' }, {}],
];

test.each(cases)('%s', (_, tags, expected) => {
  expect(decodeState(new Map(Object.entries(tags)))).toEqual(expected);
});
