// When a target's workloads may be restarted.
import { describe, expect, test } from 'vitest';
import type { MaintenanceWindow } from '../../lib/certificate/rollout-spec.ts';
import { judgeTiming } from '../../lib/policy/delivery/windows.ts';

const saturday: MaintenanceWindow = {
  days: ['Sat'],
  fromMinute: 120,
  toMinute: 240,
  timeZone: 'Europe/Berlin',
};
const night: MaintenanceWindow = {
  days: ['Fri', 'Sun'],
  fromMinute: 22 * 60 + 30,
  toMinute: 5 * 60,
  timeZone: 'America/New_York',
};
const begin = new Date('2026-01-01T00:00:00Z');
const timing = (now: string, windows: readonly MaintenanceWindow[] = [saturday], servedUntil?: Date) =>
  judgeTiming(windows, { servedUntil, begin, now: new Date(now) });
const closedUntil = (until: string) => ({ kind: 'closed', until: new Date(until) });

test('without windows it is always time', () => {
  expect(timing('2026-03-04T12:00:00Z', [])).toEqual({ kind: 'open' });
});

describe('a window is open by the clocks of its time zone', () => {
  test.for([
    ['a minute before, in winter', '2026-01-10T00:59:59Z', closedUntil('2026-01-10T01:00:00Z')],
    ['its first minute', '2026-01-10T01:00:00Z', { kind: 'open' }],
    ['its last', '2026-01-10T02:59:59Z', { kind: 'open' }],
    ['its end', '2026-01-10T03:00:00Z', closedUntil('2026-01-17T01:00:00Z')],
    ['an hour earlier in UTC, in summer', '2026-07-11T00:00:00Z', { kind: 'open' }],
    ['before the clocks go forward', '2026-03-28T12:00:00Z', closedUntil('2026-04-04T00:00:00Z')],
    ['another day', '2026-01-11T01:30:00Z', closedUntil('2026-01-17T01:00:00Z')],
  ] as const)('%s', ([, now, expected]) => {
    expect(timing(now)).toEqual(expected);
  });

  test.for([
    ['it begins on Friday', '2026-01-10T03:30:00Z', { kind: 'open' }],
    ['it goes on into Saturday', '2026-01-10T09:59:00Z', { kind: 'open' }],
    ['and ends there', '2026-01-10T10:00:00Z', closedUntil('2026-01-12T03:30:00Z')],
    [
      'it goes on from Sunday into Monday, the first day of the week',
      '2026-01-12T09:00:00Z',
      { kind: 'open' },
    ],
  ] as const)('over midnight: %s', ([, now, expected]) => {
    expect(timing(now, [night])).toEqual(expected);
  });

  test('in the night in which an hour comes twice it is open in both', () => {
    const hour = { ...saturday, days: ['Sun'], toMinute: 180 } as const;
    const open = ['00:00', '00:59', '01:00', '01:59'].map(
      (at) => timing(`2026-10-25T${at}:00Z`, [hour]).kind,
    );
    expect(open).toEqual(['open', 'open', 'open', 'open']);
    expect(timing('2026-10-25T02:00:00Z', [hour])).toEqual(closedUntil('2026-11-01T01:00:00Z'));
  });

  test('the night in which its hour does not come is passed over', () => {
    const hour = { ...saturday, days: ['Sun'], toMinute: 180 } as const;
    expect(timing('2026-03-28T12:00:00Z', [hour])).toEqual(closedUntil('2026-04-05T00:00:00Z'));
  });

  test('of several the one that opens first counts, to the minute', () => {
    const odd = { ...saturday, fromMinute: 67, toMinute: 68, timeZone: 'Asia/Kathmandu' } as const;
    expect(timing('2026-01-09T12:00:00Z', [saturday, odd])).toEqual(closedUntil('2026-01-09T19:22:00Z'));
  });
});

describe('windows wait no longer than three quarters of what is left', () => {
  const end = new Date('2026-01-31T00:00:00Z');
  test.for([
    ['at three quarters of 30 days', '2026-01-23T12:00:00.000Z', 'closed'],
    ['just after', '2026-01-23T12:00:00.001Z', 'urgent'],
    ['once it has ended', '2026-02-03T12:00:00Z', 'urgent'],
    ['in a window, it is just open', '2026-01-24T01:30:00Z', 'open'],
  ] as const)('%s', ([, now, kind]) => {
    expect(timing(now, [saturday], end).kind).toBe(kind);
  });

  test('a certificate that had ended before its successor began is urgent', () => {
    expect(timing('2026-01-05T12:00:00Z', [saturday], new Date('2025-12-31T00:00:00Z')).kind).toBe('urgent');
  });
});
