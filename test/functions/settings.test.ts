// Settings from the environment: what is meant where one is absent, and what is refused.
import { expect, test } from 'vitest';
import { readSettings } from '../../lib/settings/functions.ts';

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

test.each([
  [undefined, 'info'],
  ['debug', 'debug'],
  [' WARN ', 'warn'],
  ['error', 'error'],
])('K19 LOG_LEVEL %j is the level %s', (LOG_LEVEL, level) => {
  expect(readSettings({ LOG_LEVEL }).logLevel).toBe(level);
});

test.each(['loud', 'trace', '0'])('K19 LOG_LEVEL %j is refused, and the levels are named', (LOG_LEVEL) => {
  expect(() => readSettings({ LOG_LEVEL })).toThrow('LOG_LEVEL must be one of debug, info, warn, error');
});

test.each([
  [undefined, undefined],
  ['', undefined],
  ['default', 'default'],
  ['aws.partner/example.com/1', 'aws.partner/example.com/1'],
])('CERTRELAY_EVENT_BUS %j is the bus %j', (CERTRELAY_EVENT_BUS, bus) => {
  expect(readSettings({ CERTRELAY_EVENT_BUS }).eventBus).toBe(bus);
});

test('CERTRELAY_EVENT_BUS takes a name and no ARN, which could be of another account', () => {
  const arn = 'arn:aws:events:eu-central-1:123456789012:event-bus/default';
  expect(() => readSettings({ CERTRELAY_EVENT_BUS: arn })).toThrow(/CERTRELAY_EVENT_BUS must be the name/);
});

test('how often a schedule calls each function is told in minutes; what only people call has no interval', () => {
  const environment = { CERTRELAY_ISSUE_INTERVAL_MINUTES: '360', CERTRELAY_DISCOVER_INTERVAL_MINUTES: '' };
  expect(readSettings(environment).intervals).toEqual({ issue: 21_600_000 });
  expect(readSettings({}).intervals).toEqual({});
  expect(() => readSettings({ CERTRELAY_PROBE_INTERVAL_MINUTES: 'hourly' })).toThrow(
    'CERTRELAY_PROBE_INTERVAL_MINUTES must be a whole number of minutes',
  );
});

test.each([
  ['10.0.0.1', 'https://10.0.0.1:6443'],
  ['fd00::1', 'https://[fd00::1]:6443'],
  ['[fd00::1]', 'https://[fd00::1]:6443'],
])('KUBERNETES_SERVICE_HOST %s is the API server %s', (host, server) => {
  const environment = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '6443' };
  expect(readSettings(environment).kubernetesServer).toBe(server);
});
