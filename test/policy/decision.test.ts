import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namesKey } from '../../lib/certificate/names.ts';
import { type Decision, judge, type Situation } from '../../lib/policy/issuance/decision.ts';
import { desiredBy } from '../../lib/policy/issuance/desired.ts';
import { actual, afterDays, dayMs, desired, nows, situations } from './situations.ts';

const now = afterDays(30);
const later = afterDays(31);
const before = afterDays(29);

function judged(change: Partial<Situation>, at = now): Decision {
  return judge({ desired, actual, ...change }, at);
}

/** Of an invocation, and a little more for clocks. */
const longestMs = 20 * 60_000;

test('P12 a certificate with life left is kept, whatever the calendar says, and ordered only with force', () => {
  expect(judged({})).toEqual({
    decision: 'keep',
    reason: 'Current',
    message: 'valid until 2026-04-01T00:00:00.000Z, renewed from 2026-03-02T00:00:00.000Z',
    renewsAt: afterDays(60),
  });
  expect(judged({ forced: true })).toMatchObject({ decision: 'order', reason: 'Forced' });
});

test('D07 force orders the one certificate that is named, with nothing changed for others', () => {
  expect(judged({ forced: true })).toMatchObject({ decision: 'order', reason: 'Forced' });
  expect(judged({ forced: false })).toMatchObject({ decision: 'keep' });
});

describe('a certificate is ordered', () => {
  const other = (change: Partial<typeof actual>) => ({ actual: { ...actual, ...change } });
  const cases: readonly (readonly [string, Partial<Situation>, string])[] = [
    ['K02 Missing', { actual: { kind: 'nothing' } }, 'no certificate'],
    [
      'K03 NamesChanged',
      other({ names: namesKey(['shop.example.com']) }),
      'shop.example.com, *.shop.example.com',
    ],
    [
      'K03 NamesChanged',
      {
        desired: { ...desired, domains: ['shop.example.com'] },
        actual: { ...actual, names: namesKey(['*.example.com']) },
      },
      'not for exactly shop.example.com',
    ],
    ['K04 Unparsable', { actual: { kind: 'unparsable', problem: 'no PEM in it' } }, 'no PEM in it'],
    ['K06 KeyMismatch', { actual: { kind: 'mismatched', problem: 'not its key' } }, 'not its key'],
    ['IssuerChanged', other({ issuer: 'https://old.example/directory' }), 'https://old.example/directory'],
    ['ProfileChanged', other({ profile: 'shortlived' }), "the CA's default"],
    ['ProfileChanged', { desired: { ...desired, profile: 'tlsserver' } }, 'tlsserver'],
    ['KeyChanged', other({ key: 'rsa-2048' }), 'rsa-2048'],
    ['KeyChanged', other({ key: undefined }), 'another type'],
    ['Resume', { pending: { version: 'v', deadline: before } }, 'earlier run'],
    ['Resume', { pending: { version: 'v' } }, 'earlier run'],
  ];
  test.each(cases)('%s: %j', (title, change, message) => {
    const reason = title.split(' ').at(-1);
    expect(judged(change)).toEqual({ decision: 'order', reason, message: expect.stringContaining(message) });
  });

  test.each([
    ['keep', 'Current', 60 * dayMs - 1],
    ['order', 'RenewalDue', 60 * dayMs],
    ['order', 'RenewalDue', 90 * dayMs - 1],
    ['order', 'Expired', 90 * dayMs],
  ])('%s, %s at %i ms of its life', (decision, reason, age) => {
    const at = new Date(actual.notBefore.getTime() + age);
    expect(judged({}, at)).toMatchObject({ decision, reason });
  });

  test('for the first reason of several', () => {
    const worst = { ...actual, names: 'x', issuer: 'https://x', profile: 'x', key: undefined };
    const facts = { desired, actual: worst, forced: true };
    expect(judge(facts, later)).toMatchObject({ reason: 'NamesChanged' });
    expect(judge({ ...facts, pending: { version: 'v' } }, later)).toMatchObject({ reason: 'Resume' });
    const named = { ...facts, actual: { ...worst, names: actual.names } };
    expect(judge(named, afterDays(91))).toMatchObject({ reason: 'IssuerChanged' });
    expect(judge({ desired, actual, forced: true }, afterDays(91))).toMatchObject({ reason: 'Expired' });
  });
});

test('D04 a changed host name, a new subdomain and a near expiry each lead to an order; nothing else does', () => {
  const changed = { ...desired, domains: ['www.example.com', '*.shop.example.com'] };
  const grown = { ...desired, domains: [...desired.domains, 'api.example.com'] };
  const sorted = { ...desired, domains: desired.domains.toReversed() };
  expect(judged({ desired: changed })).toMatchObject({ reason: 'NamesChanged' });
  expect(judged({ desired: grown })).toMatchObject({ reason: 'NamesChanged' });
  expect(judged({}, afterDays(75))).toMatchObject({ reason: 'RenewalDue' });
  expect(judged({ desired: sorted })).toMatchObject({ reason: 'Current' });
  expect(judged({ desired: { ...desired, domains: undefined } })).toMatchObject({ reason: 'Current' });
});

describe('a certificate that should be ordered waits', () => {
  const missing = { actual: { kind: 'nothing' } } as const;

  test('while the run that claimed it may be alive, even with force', () => {
    const pending = { version: 'v', deadline: later };
    const lately = new Date(later.getTime() - longestMs);
    expect(judged({ ...missing, pending, forced: true }, lately)).toEqual({
      decision: 'wait',
      reason: 'InFlight',
      until: later,
      message: expect.stringMatching(/another run.*no certificate is stored/),
    });
    expect(judged({ ...missing, pending }, later)).toMatchObject({ decision: 'order', reason: 'Resume' });
    expect(judged({ pending }, lately)).toMatchObject({ decision: 'keep' });
  });

  test('and not for a claim that reaches further than any run', () => {
    const pending = { version: 'v', deadline: later };
    const tooEarly = new Date(later.getTime() - longestMs - 1);
    expect(judged({ ...missing, pending }, tooEarly)).toMatchObject({ decision: 'order', reason: 'Resume' });
  });

  test('until its next attempt, unless forced, and says what failed', () => {
    const failing = { ...missing, failures: 3, error: 'dns', nextAttempt: later };
    expect(judged(failing)).toEqual({
      decision: 'wait',
      reason: 'BackingOff',
      until: later,
      message: `3 failed attempts, the last with dns; next one at ${later.toISOString()}; an order is due: no certificate is stored`,
    });
    const once = { ...failing, failures: 1, problem: { since: before, code: 'dns', words: 'no TXT found' } };
    expect(judged(once)).toMatchObject({
      message: expect.stringMatching(/^1 failed attempt, the last with dns \(no TXT found\); next one at /),
    });
    const other = { ...once, error: 'caa' };
    expect(judged(other)).toMatchObject({
      message: expect.stringMatching(/^1 failed attempt, the last with caa; /),
    });
    expect(judged(failing, later)).toMatchObject({ decision: 'order', reason: 'Missing' });
    expect(judged({ ...failing, forced: true })).toMatchObject({ decision: 'order', reason: 'Missing' });
    expect(judged({ ...failing, actual })).toMatchObject({ decision: 'keep' });
  });

  test('also where an interrupted order failed before', () => {
    expect(judged({ pending: { version: 'v' }, nextAttempt: later })).toMatchObject({ reason: 'BackingOff' });
  });
});

test('a renewBefore that does not fit is said', () => {
  const greedy = { ...desired, renewBeforeMs: 89 * dayMs };
  expect(judged({ desired: greedy })).toMatchObject({
    decision: 'keep',
    renewsAt: afterDays(60),
    message: expect.stringContaining('renewBefore is ignored'),
  });
});

test('C02 names, issuer, profile, key and renewal wish of a definition are what is judged', () => {
  const spec = {
    name: 'shop',
    issuer: 'default',
    domains: ['a.example'],
    key: 'rsa-2048',
    targets: [],
  } as const;
  const issuer = {
    directory: 'https://ca.example/dir',
    contact: [],
    agreeToTerms: true,
    profile: 'tlsserver',
  } as const;
  expect(desiredBy({ ...spec, renewBeforeMs: dayMs }, { name: 'default', issuer, failures: 0 })).toEqual({
    domains: ['a.example'],
    issuer: 'default',
    directory: 'https://ca.example/dir',
    profile: 'tlsserver',
    key: 'rsa-2048',
    renewBeforeMs: dayMs,
  });
});

test('no judgement orders what it must wait for, and none waits or keeps for what is over', () => {
  fc.assert(
    fc.property(situations, nows, (situation, at) => {
      const decision = judge(situation, at);
      const leftMs = (situation.pending?.deadline?.getTime() ?? 0) - at.getTime();
      const inFlight = leftMs > 0 && leftMs <= longestMs;
      const backingOff =
        !situation.forced && situation.nextAttempt !== undefined && at < situation.nextAttempt;
      switch (decision.decision) {
        case 'order':
          expect(inFlight || backingOff || situation.paused !== undefined).toBe(false);
          break;
        case 'wait':
          expect(decision.reason).toBe(inFlight ? 'InFlight' : backingOff ? 'BackingOff' : 'Paused');
          expect(decision.until === undefined).toBe(decision.reason === 'Paused');
          expect(decision.until === undefined || decision.until > at).toBe(true);
          break;
        case 'keep':
          expect(decision.renewsAt > at).toBe(true);
          break;
      }
    }),
  );
});
