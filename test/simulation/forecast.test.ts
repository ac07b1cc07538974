// The forecast against what issue and deploy then do: ten virtual days of worlds in which nothing fails.
//
// Tolerances. The forecast tells days, and an order takes some minutes: what is forecast close to midnight
// may be on the day beside it. Hence by each day as much has happened as was forecast until the day before,
// and no more than is forecast until the day after; and in all ten days one order a certificate, and one
// delivery a target, may be more or less: the one that the last midnight cuts off. What waits for a window
// comes with the first call of deploy in it, an hour after it opens at most, and an hour is left for the
// rollout.
import { beforeAll, describe, expect, it } from 'vitest';
import { forecastIssue } from '../../lib/issue/forecast.ts';
import type { Forecast } from '../../lib/policy/issuance/forecast/forecast.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { type QuietSimulation, simulateQuietly } from './run.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const days = 10;
/** Somebody looks when the first certificates are two days old. */
const lookMs = 2 * dayMs;
/** Worlds with windows that are waited for, with urgent deliveries, with CAs that reuse validations and that
 *  do not, with one certificate and with three. */
const seeds = [4, 5, 8, 12, 19];

/** What was come across in all of them. */
const come = { waiting: 0, urgent: 0, reused: 0 };

const dayOf = (at: Date) => Math.floor(at.getTime() / dayMs);

/** How many there are until the end of each day, from the day before the first to that after the last. */
function sumByDay(counts: ReadonlyMap<number, number>, first: number): readonly number[] {
  let sum = 0;
  return Array.from({ length: days + 3 }, (_, index) => {
    sum += counts.get(first - 1 + index) ?? 0;
    return sum;
  });
}

function countByDay(times: readonly Date[], first: number): readonly number[] {
  const groups = Map.groupBy(times, dayOf);
  return sumByDay(new Map([...groups].map(([day, found]) => [day, found.length])), first);
}

/** What happened early or late by more than a day, as sentences. */
function compare(
  what: string,
  { happened, forecast }: { readonly happened: readonly number[]; readonly forecast: readonly number[] },
): readonly string[] {
  return happened.flatMap((count, index) => {
    const [before, after] = [forecast[index - 1] ?? 0, forecast[index + 1] ?? forecast.at(-1) ?? 0];
    const isWithin = count >= before && count <= after;
    return isWithin || index + 1 >= days
      ? []
      : [`${what}: ${count} by day ${index}, not ${before} to ${after}`];
  });
}

describe.each(seeds)('the forecast of ten days, seed %i', (seed) => {
  let simulation: QuietSimulation;
  let forecast: Forecast;
  let first: number;
  let inTime: (at: Date) => boolean;

  beforeAll(async () => {
    simulation = await simulateQuietly(String(seed), lookMs / dayMs + days, lookMs);
    const { result, seen } = simulation;
    const { inventory, lifetimeMs, tickMs } = result.options;
    const request = { spanMs: days * dayMs, lifetimeMs, reuseMs: seen.reuseMs };
    const ports = {
      store: { list: async () => seen.entries },
      clock: new FakeClock(seen.at.toISOString()),
      log: new FakeLog(),
    };
    const intervals = { issue: tickMs, deploy: tickMs };
    const surroundings = { intervals, hasEventBus: false, region: undefined };
    const { signal } = new AbortController();
    forecast = await forecastIssue(request, ports, { inventory, surroundings, signal });
    const { list } = forecast.waitingDeliveries;
    come.waiting += list.length;
    come.urgent += list.filter(({ isUrgent }) => isUrgent).length;
    come.reused += forecast.summary.ordersWithoutChange;
    first = dayOf(seen.at);
    inTime = (at) => at >= seen.at && at.getTime() < seen.at.getTime() + days * dayMs;
  });

  it('has the orders of each day', () => {
    const { result } = simulation;
    const happened = result.issued.flatMap(({ notBefore }) => (inTime(notBefore) ? [notBefore] : []));
    const told = new Map(
      forecast.days.map(({ day, renewals, firstOrders }) => [dayOf(new Date(day)), renewals + firstOrders]),
    );
    const sums = { happened: countByDay(happened, first), forecast: sumByDay(told, first) };
    expect(result.violation).toBeUndefined();
    expect(happened.length).toBeGreaterThan(2);
    expect(compare('orders', sums)).toEqual([]);
    const difference = Math.abs(forecast.summary.renewals - happened.length);
    expect(difference).toBeLessThanOrEqual(result.options.inventory.certificates.length);
  });

  it('has the deliveries of each day', () => {
    const { deliveries, options } = simulation.result;
    const happened = deliveries.flatMap(({ at }) => (inTime(at) ? [at] : []));
    const told = new Map(forecast.days.map(({ day, deliveries }) => [dayOf(new Date(day)), deliveries]));
    const sums = { happened: countByDay(happened, first), forecast: sumByDay(told, first) };
    expect(compare('deliveries', sums)).toEqual([]);
    const targets = options.inventory.certificates.flatMap((certificate) => certificate.targets);
    expect(Math.abs(forecast.summary.deliveries - happened.length)).toBeLessThanOrEqual(targets.length);
  });

  it('says when each target gets what waits for its window', () => {
    // What urges is told to the minute, too, but depends on when the order came.
    const slackMs = 2 * hourMs;
    const firsts = new Map(forecast.waitingDeliveries.list.toReversed().map((one) => [one.target, one]));
    const missed = [...firsts.values()].filter(({ target, until, isUrgent }) => {
      if (!until || !inTime(until)) return false;
      const [least, most] = [isUrgent ? -slackMs : 0, isUrgent ? 3 * slackMs : slackMs];
      return !simulation.result.deliveries.some(({ secret, at }) => {
        const ms = at.getTime() - until.getTime();
        return secret === target.replace('/shop/', '/') && ms >= least && ms <= most;
      });
    });
    expect(missed).toEqual([]);
  });

  it('counts the TXT values, or more where the CA reuses a validation to its last minute', () => {
    const { result, seen } = simulation;
    const happened = result.written.flatMap(({ at, values }) => (inTime(at) ? [values] : []));
    const written = happened.reduce((sum, values) => sum + values, 0);
    // The forecast goes by Boulder, which reuses none whose end is near; the simulated CA does.
    const most = result.options.inventory.certificates.reduce((sum, { domains }) => sum + domains.length, 0);
    expect(forecast.summary.values).toBeGreaterThanOrEqual(written - most);
    if (seen.reuseMs === 0) expect(forecast.summary.values).toBeLessThanOrEqual(written + most);
  });
});

it('is shown by worlds in which deliveries wait for windows, and some come before theirs', () => {
  expect(Object.entries(come).filter(([, count]) => count === 0)).toEqual([]);
});
