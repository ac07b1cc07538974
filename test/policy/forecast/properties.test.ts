// What holds of every forecast, whatever the state: no certificate is forgotten, and the sums agree.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CertificateState } from '../../../lib/state/state.ts';
import { at, dayMs, ForecastLab, hourMs, letsEncrypt, now, otherCa, target } from './observed.ts';

const windows = [{ days: ['Tue'] as const, fromMinute: 600, toMinute: 720, timeZone: 'America/New_York' }];
const instants = fc.integer({ min: -300, max: 100 }).map(at);
const troubles = fc.record({
  since: instants,
  code: fc.constantFrom('PreflightFailed', 'NameTaken', 'RateLimited', 'unauthorized'),
  words: fc.constant('words'),
});

/** Each field is there or not. */
const states: fc.Arbitrary<CertificateState> = fc.record(
  {
    version: fc.constantFrom('v1', 'v2'),
    names: fc.constantFrom('n'.repeat(16), 'm'.repeat(16)),
    issuer: fc.constantFrom(otherCa, letsEncrypt, 'https://gone.example/directory'),
    key: fc.constantFrom('ecdsa-p256', 'rsa-2048'),
    fingerprint: fc.constant('4'.repeat(64)),
    notBefore: instants,
    notAfter: fc.integer({ min: -100, max: 500 }).map(at),
    windowStart: instants,
    windowEnd: instants,
    windowOf: fc.constant('id'),
    certificateId: fc.constant('id'),
    source: fc.constantFrom('registration', 'discovery', 'import'),
    failures: fc.nat(5),
    error: fc.constantFrom('rateLimited', 'unauthorized', 'Processing'),
    nextAttempt: instants,
    problem: troubles,
    pausedSince: instants,
    graceUntil: instants,
    freeze: fc.constant({ version: 'v1', target: '*', reason: 'why' }),
    orders: fc.record({
      directory: fc.constant(letsEncrypt),
      registeredDomains: fc.constant(['example.com']),
      times: fc.array(instants, { minLength: 1, maxLength: 20 }),
    }),
  },
  { requiredKeys: [] },
);

const owners = fc.record({
  isOfFile: fc.boolean(),
  issuer: fc.constantFrom('default', 'letsencrypt', 'missing'),
  days: fc.option(fc.integer({ min: 0, max: 120 }), { nil: undefined }),
  renewBeforeDays: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
  hasTarget: fc.boolean(),
  state: states,
});

type Owner = typeof owners extends fc.Arbitrary<infer Drawn> ? Drawn : never;

const installations = fc.record({
  // As many as one day names.
  owners: fc.array(owners, { minLength: 1, maxLength: 10 }),
  days: fc.integer({ min: 1, max: 200 }),
  ahead: fc.constantFrom(0, 30),
  lifetimeMs: fc.option(
    fc.integer({ min: 24, max: 9_000 }).map((hours) => hours * hourMs),
    { nil: undefined },
  ),
});

function build({ owners: all }: { readonly owners: readonly Owner[] }): ForecastLab {
  const lab = new ForecastLab();
  for (const [index, { isOfFile, issuer, days, renewBeforeDays, hasTarget, state }] of all.entries()) {
    const name = `c${index}`;
    const renewBefore = renewBeforeDays === undefined ? {} : { renewBeforeMs: renewBeforeDays * dayMs };
    const spec = { issuer, targets: hasTarget ? [target(`${name}-tls`, windows)] : [], ...renewBefore };
    if (isOfFile) lab.keep(name, { ...(days !== undefined && { days }), state, spec });
    else lab.add(name, state);
  }
  return lab;
}

describe('every forecast', () => {
  it('orders each certificate before it ends, or names it', () => {
    fc.assert(
      fc.property(installations, (drawn) => {
        const lab = build(drawn);
        const forecast = lab.forecast(drawn.days, { lifetimeMs: drawn.lifetimeMs });
        const ordered = new Set(forecast.days.flatMap(({ certificates }) => certificates.list));
        const named = new Set(
          [...forecast.notRenewed.list, ...forecast.lateOrders.list].map(({ certificate }) => certificate),
        );
        const waiting = new Set(forecast.waitingOrders.list.map(({ certificate }) => certificate));
        const lost = lab.observed.filter(({ name, entry }) => {
          const end = entry?.state.notAfter;
          // What lasts longer than the forecast need not be in it.
          const isDue = end === undefined || entry?.current === undefined || end < forecast.until;
          return isDue && !ordered.has(name) && !named.has(name) && !waiting.has(name);
        });
        expect(lost.map(({ name }) => name)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('has sums that agree with its lists', () => {
    fc.assert(
      fc.property(installations, (drawn) => {
        const start = at(drawn.ahead);
        const { days, summary, issuers, ...lists } = build(drawn).forecast(drawn.days, { start });
        const sum = (of: (day: (typeof days)[number]) => number) =>
          days.reduce((all, day) => all + of(day), 0);
        expect(sum(({ renewals }) => renewals)).toBe(summary.renewals);
        expect(sum(({ firstOrders }) => firstOrders)).toBe(summary.firstOrders);
        expect(sum(({ deliveries }) => deliveries)).toBe(summary.deliveries);
        expect(sum(({ values }) => values)).toBe(summary.values);
        expect(sum(({ zoneChanges }) => zoneChanges)).toBe(summary.zoneChanges);
        const orders = summary.renewals + summary.firstOrders;
        expect(sum(({ certificates: { list, omitted } }) => list.length + omitted)).toBe(orders);
        expect(issuers.reduce((all, issuer) => all + issuer.orders, 0)).toBe(orders);
        for (const name of ['notRenewed', 'lateOrders', 'waitingOrders', 'waitingDeliveries'] as const)
          expect(lists[name].list.length + lists[name].omitted, name).toBe(summary[name]);
        const bill = lists.cost.services.reduce((all, service) => all + service.usd, 0);
        expect(bill).toBeCloseTo(lists.cost.usd, 3);
        for (const { day } of days) {
          const midnight = new Date(day).getTime();
          expect(midnight).toBeGreaterThan(start.getTime() - dayMs);
          expect(midnight).toBeLessThan(lists.until.getTime());
        }
        expect(lists.at).toEqual(now);
      }),
      { numRuns: 300 },
    );
  });
});
