import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge } from '../../lib/policy/issuance/decision.ts';
import { fitsLifetime, renewalTime } from '../../lib/policy/issuance/renewal-time.ts';
import { actual, afterDays, dayMs, desired, hourMs, notBefore } from './situations.ts';

/** Days into the lifetime at which renewal falls due. */
function dueDay(lifetimeDays: number, change: Partial<Parameters<typeof renewalTime>[0]> = {}): number {
  const facts = { notBefore, notAfter: afterDays(lifetimeDays), fingerprint: actual.fingerprint, ...change };
  return (renewalTime(facts).getTime() - notBefore.getTime()) / dayMs;
}

describe('without a word of the CA, renewal falls due', () => {
  test.each([
    [90, 60],
    [45, 30],
    [30, 20],
    [10.5, 7],
    [9.99, 4.995],
    [160 / 24, 80 / 24],
    [2, 1],
  ])('for a lifetime of %d days at day %d', (lifetime, day) => {
    expect(dueDay(lifetime)).toBeCloseTo(day, 6);
  });

  test('at two thirds from exactly ten days of lifetime on', () => {
    expect(dueDay(10)).toBeCloseTo(20 / 3, 6);
    expect(dueDay(10 - 1 / dayMs)).toBeCloseTo(5, 6);
  });
});

test('K05 a fresh 160 h certificate is not due', () => {
  const fresh = { ...actual, notAfter: new Date(notBefore.getTime() + 160 * hourMs) };
  const at = (hours: number) =>
    judge({ desired, actual: fresh }, new Date(notBefore.getTime() + hours * hourMs));
  expect(at(0)).toMatchObject({ decision: 'keep' });
  expect(at(79.9)).toMatchObject({ decision: 'keep' });
  expect(at(80)).toMatchObject({ decision: 'order', reason: 'RenewalDue' });
});

describe('K17 renewBefore is honoured where it fits the lifetime, and passed over where it would order in a loop', () => {
  test.each([
    [90, 30 * dayMs, 60],
    [90, hourMs, 90 - 1 / 24],
    [90, 60 * dayMs, 30],
    [90, 60 * dayMs + 1, 60],
    [90, 90 * dayMs, 60],
    [160 / 24, 720 * hourMs, 80 / 24],
    [45, 0, 30],
  ])('%d days, renewBefore %i ms: due at day %d', (lifetime, renewBeforeMs, day) => {
    expect(dueDay(lifetime, { renewBeforeMs })).toBeCloseTo(day, 6);
  });
});

describe("inside the CA's window", () => {
  const window = { start: afterDays(58), end: afterDays(60) };

  test('the fingerprint chooses the point', () => {
    expect(dueDay(90, { window, fingerprint: '0'.repeat(64) })).toBe(58);
    expect(dueDay(90, { window, fingerprint: '8'.padEnd(64, '0') })).toBe(59);
    const last = dueDay(90, { window, fingerprint: 'f'.repeat(64) });
    expect(last).toBeLessThan(60);
    expect(last).toBeGreaterThan(59.99);
  });

  test('a renewBefore moves it only to an earlier instant', () => {
    const fingerprint = '0'.repeat(64);
    expect(dueDay(90, { window, fingerprint, renewBeforeMs: 40 * dayMs })).toBe(50);
    expect(dueDay(90, { window, fingerprint, renewBeforeMs: 10 * dayMs })).toBe(58);
  });

  test.each([
    ['ends as it starts', 58, 58],
    ['ends before it starts', 60, 58],
  ])('one that %s is no answer', (_, start, end) => {
    expect(dueDay(90, { window: { start: afterDays(start), end: afterDays(end) } })).toBe(60);
  });
});

test('renewal falls inside the lifetime, at the same instant for one certificate', () => {
  const facts = fc
    .record({
      lifetimeMs: fc.integer({ min: 1, max: 400 * dayMs }),
      fingerprint: fc.stringMatching(/^[0-9a-f]{64}$/),
      renewBeforeMs: fc.option(fc.integer({ min: 0, max: 500 * dayMs }), { nil: undefined }),
      window: fc.option(
        fc.record({
          start: fc.date({ min: afterDays(-500), max: afterDays(500), noInvalidDate: true }),
          end: fc.date({ min: afterDays(-500), max: afterDays(500), noInvalidDate: true }),
        }),
        { nil: undefined },
      ),
    })
    .map(({ lifetimeMs, ...rest }) => ({
      ...rest,
      notBefore,
      notAfter: new Date(notBefore.getTime() + lifetimeMs),
    }));
  fc.assert(
    fc.property(facts, (certificate) => {
      const due = renewalTime(certificate);
      expect(due >= certificate.notBefore && due <= certificate.notAfter).toBe(true);
      expect(renewalTime({ ...certificate })).toEqual(due);
      if (certificate.window === undefined && !fitsLifetime(certificate))
        expect(due >= midOf(certificate)).toBe(true);
    }),
  );
});

function midOf(certificate: { readonly notBefore: Date; readonly notAfter: Date }): Date {
  const [begin, end] = [certificate.notBefore.getTime(), certificate.notAfter.getTime()];
  return new Date(Math.floor(begin + (end - begin) / 2));
}
