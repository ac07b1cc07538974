// Words that go with a number.
import { expect, test } from 'vitest';
import { countOf } from '../../lib/policy/words.ts';

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
