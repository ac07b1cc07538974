// Words that go with a number.
import { expect, test } from 'vitest';
import { countOf, describeAge, formatDaysLeft } from '../../lib/policy/words.ts';

test.each([
  [0, 'no target'],
  [1, '1 target'],
  [2, '2 targets'],
])('%i of them: %s', (count, words) => {
  expect(countOf(count, 'target')).toBe(words);
});

test('a plural of its own', () => {
  expect(countOf(2, 'address', 'addresses')).toBe('2 addresses');
});

test.each([
  [59_999, 'just now'],
  [60_000, '1 minute ago'],
  [3_599_999, '59 minutes ago'],
  [3_600_000, '1 hour ago'],
  [86_399_999, '23 hours ago'],
  [86_400_000, '1 day ago'],
  [99_000_000, '1.1 days ago'],
])('%i ms: %s', (ageMs, words) => {
  expect(describeAge(ageMs)).toBe(words);
});

test('days that are over have no minus sign', () => {
  expect([14.94, 0, -0.1, -1.1].map(formatDaysLeft)).toEqual(['14.9', '0.0', '0.1 ago', '1.1 ago']);
});
