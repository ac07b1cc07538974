// When digests are due: both sides of each boundary, and days on which clocks change.
import { expect, test } from 'vitest';
import type { DigestTime, NoticeChannel } from '../../../lib/certificate/notice-spec.ts';
import { findDueDigests, lastTime } from '../../../lib/policy/notices/digest-time.ts';

const berlin = (day: DigestTime['day'], hour: number, minute = 0) =>
  ({ day, hour, minute, zone: 'Europe/Berlin' }) satisfies DigestTime;

test.each([
  ['on the minute', berlin('Mon', 8), '2026-11-30T07:00:00Z', '2026-11-30T07:00:00.000Z'],
  ['a moment before', berlin('Mon', 8), '2026-11-30T06:59:59Z', '2026-11-23T07:00:00.000Z'],
  ['in summer', berlin('Mon', 8), '2026-07-13T06:00:00Z', '2026-07-13T06:00:00.000Z'],
  ['daily, over midnight', berlin('daily', 23, 30), '2026-11-30T22:29:00Z', '2026-11-29T22:30:00.000Z'],
  ['skipped in spring', berlin('Sun', 2, 30), '2027-03-28T12:00:00Z', '2027-03-28T01:30:00.000Z'],
  ['twice in autumn', berlin('Sun', 2, 30), '2026-10-25T12:00:00Z', '2026-10-25T00:30:00.000Z'],
  [
    'over the date line',
    { ...berlin('Mon', 8), zone: 'Pacific/Auckland' },
    '2026-11-29T19:00:00Z',
    '2026-11-29T19:00:00.000Z',
  ],
  [
    'a half hour zone',
    { ...berlin('daily', 8), zone: 'Asia/Kolkata' },
    '2026-11-30T02:30:00Z',
    '2026-11-30T02:30:00.000Z',
  ],
] as const)('the last time of a digest, %s', (_, time, now, expected) => {
  expect(lastTime(time, new Date(now)).toISOString()).toBe(expected);
});

test('a digest is due once, however long nobody looked', () => {
  const channel = (digest?: DigestTime): NoticeChannel => ({
    kind: 'slack',
    secret: 'certrelay/notify/ops',
    events: [],
    digest,
  });
  const channels = [channel(berlin('Mon', 8)), { ...channel(), kind: 'email', secret: undefined } as const];
  const due = (since: string, now: string) => findDueDigests(channels, new Date(since), new Date(now));
  expect(due('2026-11-30T06:45:00Z', '2026-11-30T07:00:00Z')).toEqual(['slack ops']);
  expect(due('2026-11-30T07:00:00Z', '2026-11-30T07:15:00Z')).toEqual([]);
  expect(due('2026-11-02T00:00:00Z', '2026-11-30T06:00:00Z')).toEqual(['slack ops']);
});
