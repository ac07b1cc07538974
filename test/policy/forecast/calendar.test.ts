import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renewalsByDay } from '../../../lib/policy/issuance/forecast/calendar.ts';
import { dayMs } from '../situations.ts';

const from = new Date('2026-12-01T15:00:00Z');
const at = (days: number) => new Date(from.getTime() + days * dayMs);

describe('the calendar of renewals', () => {
  it('has every day, and counts what is overdue on the first', () => {
    const certificates = [
      { name: 'late', renewsAt: at(-3) },
      { name: 'today', renewsAt: at(0.1) },
      { name: 'soon', renewsAt: at(1) },
      { name: 'far', renewsAt: at(3) },
      { name: 'new' },
    ];
    expect(renewalsByDay(certificates, { from, days: 3, mostNames: 20 })).toEqual({
      days: [
        { day: '2026-12-01', renewals: 2, names: ['late', 'today'], omitted: 0 },
        { day: '2026-12-02', renewals: 1, names: ['soon'], omitted: 0 },
        { day: '2026-12-03', renewals: 0, names: [], omitted: 0 },
      ],
      overdue: 1,
    });
  });

  it('counts the renewals after the next one where the lifetime is known', () => {
    const known = { name: 'short', notBefore: at(-2), renewsAt: at(1) };
    const { days } = renewalsByDay([known], { from, days: 9, mostNames: 20 });
    expect(days.flatMap(({ day, renewals }) => (renewals > 0 ? [day.slice(8)] : []))).toEqual([
      '02',
      '05',
      '08',
    ]);
  });

  it('counts one that is overdue once, and the next from now on', () => {
    const late = { name: 'late', notBefore: at(-200), renewsAt: at(-140) };
    const { days, overdue } = renewalsByDay([late], { from, days: 90, mostNames: 20 });
    expect(overdue).toBe(1);
    expect(days.flatMap(({ day, renewals }) => (renewals > 0 ? [[day, renewals]] : []))).toEqual([
      ['2026-12-01', 1],
      ['2027-01-30', 1],
    ]);
  });

  it('names the first ones only, and counts the others', () => {
    const many = Array.from({ length: 7 }, (_, index) => ({ name: `c${index}`, renewsAt: at(0.2) }));
    const [day] = renewalsByDay(many, { from, days: 1, mostNames: 3 }).days;
    expect(day).toMatchObject({ renewals: 7, names: ['c0', 'c1', 'c2'], omitted: 4 });
  });

  it('loses no renewal and invents none', () => {
    const certificate = fc.record({
      name: fc.stringMatching(/^[a-z]{1,4}$/),
      renewsAt: fc.option(fc.integer({ min: -20, max: 120 }).map(at), { nil: undefined }),
    });
    const any = fc.tuple(fc.array(certificate), fc.integer({ min: 1, max: 100 }));
    fc.assert(
      fc.property(any, ([certificates, days]) => {
        const calendar = renewalsByDay(certificates, { from, days, mostNames: 20 });
        const end = Math.floor(from.getTime() / dayMs) * dayMs + days * dayMs;
        const due = certificates.filter(({ renewsAt }) => renewsAt && renewsAt.getTime() < end);
        expect(calendar.days).toHaveLength(days);
        expect(calendar.days.reduce((sum, { renewals }) => sum + renewals, 0)).toBe(due.length);
      }),
    );
  });
});
