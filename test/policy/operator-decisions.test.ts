// Decisions of people that stand over every judgement: a pause, a revocation.
import { describe, expect, test } from 'vitest';
import { judge, type Situation } from '../../lib/policy/issuance/decision.ts';
import { addRevoked, decisionsOf } from '../../lib/policy/issuance/operator-decisions.ts';
import { pauseOf, writePauseReason } from '../../lib/policy/issuance/pause.ts';
import { actual, afterDays, desired } from './situations.ts';

const now = afterDays(30);
const judged = (change: Partial<Situation>, at = now) => judge({ desired, actual, ...change }, at);
const paused = { since: afterDays(10), reason: 'the zone moves' };

describe('a paused certificate', () => {
  test.each<[string, Partial<Situation>, string]>([
    ['that is missing', { actual: { kind: 'nothing' } }, 'no certificate is stored'],
    ['that is forced', { forced: true }, 'forced by the request'],
    ['of which an order was interrupted', { pending: { version: 'v' } }, 'an earlier run stopped'],
    ['that was revoked', { isRevoked: true, isRestored: false }, 'was revoked'],
  ])('%s waits, and says since when, by which words, and what for', (_, change, need) => {
    const decision = judged({ ...change, paused });
    expect(decision).toMatchObject({ decision: 'wait', reason: 'Paused', until: undefined });
    expect(decision.message).toContain('since 2026-01-11T00:00:00.000Z ("the zone moves")');
    expect(decision.message).toContain(need);
  });

  test('that needs no order is kept, and only the day it falls due it waits', () => {
    expect(judged({ paused }, new Date(afterDays(60).getTime() - 1))).toMatchObject({ decision: 'keep' });
    expect(judged({ paused }, afterDays(60))).toMatchObject({ reason: 'Paused' });
  });

  test('says first what ends by itself: a run at work, a failure before', () => {
    const both = { paused, forced: false, actual: { kind: 'nothing' }, nextAttempt: afterDays(31) } as const;
    expect(judged(both)).toMatchObject({ reason: 'BackingOff' });
    const pending = { version: 'v', deadline: new Date(afterDays(30).getTime() + 60_000) };
    expect(judged({ ...both, pending })).toMatchObject({ reason: 'InFlight' });
  });
});

describe('a revoked certificate', () => {
  test('is ordered anew, however long it would have lived', () => {
    expect(judged({ isRevoked: true })).toMatchObject({ decision: 'order', reason: 'Revoked' });
    expect(judged({ isRevoked: false })).toMatchObject({ decision: 'keep' });
  });

  test('is known by its version: the one that replaced it is not revoked', () => {
    const state = { revoked: addRevoked(undefined, 'one') };
    expect(decisionsOf({ current: 'one', state }, now)).toEqual({
      paused: undefined,
      isRevoked: true,
      isRestored: false,
    });
    expect(decisionsOf({ current: 'two', state }, now)).toMatchObject({ isRevoked: false });
    expect(decisionsOf({ current: undefined, state }, now)).toMatchObject({ isRevoked: false });
    expect(decisionsOf(undefined, now)).toMatchObject({ paused: undefined, isRevoked: false });
  });

  test('is remembered after later ones, the oldest of five not', () => {
    const revoked = ['1', '2', '3', '4', '5', '5'].reduce<readonly string[]>(addRevoked, []);
    const known = ['1', '2', '3', '4', '5'].filter(
      (current) => decisionsOf({ current, state: { revoked } }, now).isRevoked,
    );
    expect(known).toEqual(['2', '3', '4', '5']);
  });
});

test('a pause is read from its tags, with or without words', () => {
  const at = (state: object) => decisionsOf({ current: 'v', state }, now).paused;
  expect(at({ pausedSince: now, pauseReason: 'x' })).toEqual({ since: now, reason: 'x' });
  expect(at({ pausedSince: now })).toEqual({ since: now, reason: undefined });
  expect(at({ pauseReason: 'words alone' })).toBeUndefined();
});

test.each<[string, string, object | undefined]>([
  ['before its end', '2026-11-22T10:00:00.001Z: the zone moves', { reason: 'the zone moves' }],
  ['of several lines', '2026-12-24T00:00:00.000Z: one\ntwo', { reason: 'one\ntwo' }],
  ['without a reason', '2026-12-24T00:00:00.000Z', {}],
  ['at its end', '2026-11-22T10:00:00.000Z: the zone moves', undefined],
  ['long after', '2026-01-01T00:00:00.000Z', undefined],
])('a pause with an end is read from its tags: %s', (_, words, expected) => {
  const state = { pausedSince: new Date(0), pauseReason: `until ${words}` };
  const paused = pauseOf(state, new Date('2026-11-22T10:00:00Z'));
  const until = new Date(words.slice(0, 24));
  expect(paused).toEqual(expected && { since: new Date(0), reason: undefined, until, ...expected });
  if (paused) expect(writePauseReason(paused)).toBe(state.pauseReason);
});

test.each([
  'until Friday',
  'until 2026-02-30T00:00:00.000Z: x',
  'until 2026-11-22T10:00:00Z',
])('words that are no end of ours are a reason, and the pause does not end: %s', (pauseReason) => {
  const paused = pauseOf({ pausedSince: new Date(0), pauseReason }, new Date('2030-01-01T00:00:00Z'));
  expect(paused).toEqual({ since: new Date(0), reason: pauseReason });
});
