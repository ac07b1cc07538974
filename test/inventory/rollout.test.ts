// What a user may write of how a target's workloads change over.
import { expect, test } from 'vitest';
import * as z from 'zod';
import { formatWindow, rollout, serializeRollout } from '../../lib/inventory/rollout-fields.ts';

test('a rollout of which nothing is said is one wave, ten minutes long, at any time, without a look', () => {
  expect(rollout.parse({})).toEqual({ waves: 1, deadlineMs: 600_000, probe: false, windows: [] });
  expect(rollout.parse(undefined)).toBeUndefined();
});

test('a rollout is read as it is meant, and read again as it was written', () => {
  const parsed = rollout.parse({
    canary: 'Deployment/web-canary',
    waves: 2,
    deadline: '1h',
    probe: true,
    windows: ['Sat 02:00-04:00 Europe/Berlin'],
  });
  expect(parsed).toEqual({
    canary: { kind: 'Deployment', name: 'web-canary' },
    waves: 2,
    deadlineMs: 3_600_000,
    probe: true,
    windows: [{ days: ['Sat'], fromMinute: 120, toMinute: 240, timeZone: 'Europe/Berlin' }],
  });
  expect(rollout.parse(parsed && serializeRollout(parsed))).toEqual(parsed);
});

test.for([
  ['02:00-04:00', '02:00-04:00 UTC'],
  ['Sat,sun 00:00-24:00', 'Sat,Sun 00:00-24:00 UTC'],
  ['Mon-Fri 22:00 - 05:00 UTC', 'Mon,Tue,Wed,Thu,Fri 22:00-05:00 UTC'],
  ['Sat-Mon 01:30-01:31 Asia/Kathmandu', 'Mon,Sat,Sun 01:30-01:31 Asia/Kathmandu'],
  ['Mon-Sun 01:00-02:00 UTC', '01:00-02:00 UTC'],
] as const)('the window %j is %j', ([text, expected]) => {
  const [window] = rollout.parse({ windows: [text] })?.windows ?? [];
  expect(window && formatWindow(window)).toBe(expected);
});

test.for([
  [{ windows: ['Sat'] }, 'is not a maintenance window; use e.g.'],
  [{ windows: ['Sat 24:00-25:00 UTC'] }, 'is not a maintenance window; use e.g.'],
  [{ windows: ['Sat 02:00-02:60 UTC'] }, 'is not a maintenance window; use e.g.'],
  [{ windows: ['Caturday 02:00-04:00 UTC'] }, 'is not a maintenance window; use e.g.'],
  [{ windows: ['Sat 02:00-02:00 UTC'] }, 'is never open'],
  [{ windows: ['Sat 02:00-04:00 Europe/Atlantis'] }, 'has an unknown time zone'],
  [{ windows: [] }, 'is empty'],
  [{ deadline: '10' }, 'use a number and a unit, such as 10m or 1h'],
  [{ deadline: '0m' }, 'use a number and a unit, such as 10m or 1h'],
  [{ waves: 0 }, 'write a whole number from 1 to 100'],
  [{ canary: 'ReplicationController/web' }, 'use e.g. Deployment/web'],
  [{ waves: 1, canaries: [] }, 'is not a known key; known keys: canary, waves, deadline, probe, windows'],
] as const)('%o is refused, and what would be right is said', ([written, problem]) => {
  const { error } = rollout.safeParse(written);
  expect(error && z.prettifyError(error)).toContain(problem);
});
