// Settings from the environment: what is meant where one is absent, and what is refused.
import { expect, test } from 'vitest';
import { readSettings } from '../../lib/config.ts';

test.each([
  [undefined, 60],
  ['', 60],
  ['0', 0],
  [' 90 ', 90],
])('CERTRELAY_STALE_AFTER_MINUTES %j is %i minutes', (CERTRELAY_STALE_AFTER_MINUTES, minutes) => {
  expect(readSettings({ CERTRELAY_STALE_AFTER_MINUTES }).staleAfterMs).toBe(minutes * 60_000);
});

test.each([
  '-1',
  '1.5',
  '1h',
  '1e3',
  '1234567',
])('CERTRELAY_STALE_AFTER_MINUTES %j is refused beside every other mistake', (minutes) => {
  const environment = { CERTRELAY_STALE_AFTER_MINUTES: minutes, LOG_LEVEL: 'loud' };
  expect(() => readSettings(environment)).toThrow(/LOG_LEVEL.*CERTRELAY_STALE_AFTER_MINUTES must be a whole/);
});
