import { expect, test } from 'vitest';
import { isPutOff, nextAttempt } from '../../lib/policy/issuance/backoff.ts';

const now = new Date('2026-01-01T00:00:00Z');

function waitMinutes(failures: number, retryAfterMs?: number): number {
  return (nextAttempt({ failures, now, retryAfterMs }).getTime() - now.getTime()) / 60_000;
}

test.each([
  [1, 1],
  [2, 10],
  [3, 100],
  [4, 1_440],
  [5, 1_440],
  [1_000_000, 1_440],
])('K23 after %i failures in a row the next attempt is %i minutes away', (failures, minutes) => {
  expect(waitMinutes(failures)).toBe(minutes);
});

test.each([
  [1, 59_999, 1],
  [1, 60_001, 60_001 / 60_000],
  [3, 34 * 3_600_000, 34 * 60],
  [4, 3_600_000, 1_440],
  [1, 7 * 86_400_000, 7 * 1_440],
  [1, 1e300, 7 * 1_440],
  [1, Number.POSITIVE_INFINITY, 7 * 1_440],
])('after %i failures a Retry-After of %d ms makes it %d minutes: never less, and a week at most', (failures, ms, minutes) => {
  expect(waitMinutes(failures, ms)).toBe(minutes);
});

test.each([
  [0, false],
  [1, true],
  [360 * 60_000, true],
  [360 * 60_000 + 1, false],
])('a delivery that is to be tried again in %d ms is left alone: %s', (ms, isLeft) => {
  expect(isPutOff(new Date(now.getTime() + ms), now)).toBe(isLeft);
});
