// `certrelay forecast` over forecasts as `issue` makes them: tables, a narrow terminal, exit codes.
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Forecast } from '../../lib/policy/issuance/forecast/forecast.ts';
import { at, dayMs, ForecastLab, target } from '../policy/forecast/observed.ts';
import { answering, certrelay } from './harness.ts';

/** A window, a pause, and more new certificates than the CA takes at once. */
function makeForecast({ days = 60, isPaused = true } = {}): Forecast {
  const lab = new ForecastLab();
  const windows = [{ days: ['Sat'] as const, fromMinute: 60, toMinute: 180, timeZone: 'Europe/Berlin' }];
  const issuer = 'letsencrypt';
  lab.keep('shop', { days: 58, spec: { issuer, targets: [target('shop-tls', windows), target('web-tls')] } });
  const state = { pausedSince: at(-3), pauseReason: 'of\u001b[31m old' };
  if (isPaused) lab.keep('mail', { days: 40, state, spec: { issuer } });
  for (let index = 0; index < 60; index += 1) lab.keep(`new-${index}`, { spec: { issuer } });
  return lab.forecast(days, { lifetimeMs: 45 * dayMs });
}

const line = 'forecast --for 60d --lifetime 45d';

it('tells by day what happens, what waits until when and why, and what a month costs', async () => {
  const lambda = await answering(makeForecast());
  const { out, err, code } = await certrelay(line, lambda);
  expect(lambda.events).toMatchObject([{ name: 'issue', event: { forecast: '60d', lifetime: '45d' } }]);
  const [days, limits, windows, stopped, issuers, cost] = out.split('\n\n');
  expect(days).toMatch(/^DAY \(UTC\) +ORDERS +FIRST +DELIVERIES +ROUTE 53 +CERTIFICATES\n/);
  expect(days).toMatch(/\n2026-12-01 +51 +51 +4 +new-0 new-1 .* …\n/);
  expect(days).toMatch(/\n2026-12-03 +3 +2 +1 +4 +new-8 new-9 shop\n/);
  expect(limits).toMatch(/^Orders that wait for a limit of their CA\nNAME +DUE +ORDERED +LIMIT\nnew-54 /);
  expect(limits).toMatch(/\nnew-55 .* certificates for example\.com\n/);
  expect(windows).toMatch(/\nshop +2026-12-03.* 2026-12-05.* prod\/web\/shop-tls(\n|$)/);
  expect(stopped).toMatch(/\nmail +Paused +2027-01-20 +paused by a person: of \[31m old$/);
  expect(issuers).toMatch(/^Orders at acme-v02\.api\.letsencrypt\.org: 12\d, \d+ of them exempt/);
  expect(issuers).toMatch(
    /\nLIMIT +USED +WAIT\ncertificates for example\.com +50 of 50 +10\nnew orders +50 of 300$/,
  );
  expect(cost).toMatch(
    /^A month in US dollars.*eu-central-1.*\nSERVICE +USD +WITH FREE TIER\nSecrets Manager +\d/,
  );
  expect(cost).toMatch(/\nall +\d+\.\d\d +\d+\.\d\d\n$/);
  expect(err).toMatch(
    / renewals and 60 first orders of 62 certificates, \d+ deliveries, \d+ Route 53 changes\n/,
  );
  // The paused one ends before anybody renews it.
  expect(err).toContain('One certificate ends in this time before a newer one is there');
  expect(code).toBe(1);
});

it('is by week over a longer time, and fits the terminal', async () => {
  const long = makeForecast({ days: 400, isPaused: false });
  const lambda = await answering(long);
  expect(long.days.length).toBeGreaterThan(31);
  for (const columns of [80, 40]) {
    const { out, code } = await certrelay(line, {
      ...lambda,
      env: { ...lambda.env, NO_COLOR: '1' },
      columns,
    });
    expect(code).toBe(0);
    expect(out).toMatch(/^WEEK OF \(UTC\) .*\n2026-11-30 +61/);
    for (const shown of out.split('\n')) expect(shown.length, shown).toBeLessThanOrEqual(columns);
  }
  const wide = await certrelay(`${line} -o wide`, lambda);
  expect(wide.out).toMatch(/^DAY \(UTC\) .*TXT VALUES/);
  expect(wide.out).toMatch(/\nSecrets Manager .* secret months\n/);
});

it('is the answer itself as JSON and YAML, and names what is ordered with --quiet', async () => {
  const forecast = makeForecast({ isPaused: false });
  const lambda = await answering(forecast);
  const json = await certrelay(`${line} -o json`, lambda);
  const plain: unknown = JSON.parse(JSON.stringify(forecast));
  expect(JSON.parse(json.out)).toMatchObject(Object(plain));
  expect(parse((await certrelay(`${line} -o yaml`, lambda)).out)).toMatchObject(Object(plain));
  const quiet = await certrelay(`${line} -q`, lambda);
  expect(quiet.out).toMatch(/^new-0\nnew-1\n/);
  expect(quiet.err).toBe('');
});

it('of an installation with nothing in it says so, and what it costs all the same', async () => {
  const { out, code } = await certrelay('forecast', await answering(new ForecastLab().forecast(90)));
  expect(out).toMatch(/^Nothing is ordered or delivered in this time\.\n\nA month in US dollars/);
  expect(code).toBe(0);
});

it.each([
  ['--for 90', '--for must be a number with h, d or w, such as 90d: "90"'],
  ['--for 401d', '--for must be 400d at most'],
  ['--from 2028-02-30', '--from is not in the calendar'],
  ['--lifetime 0d', '--lifetime must be longer than nothing'],
  ['--reuse \u001b[2J', '--reuse must be a number'],
])('%j is refused by the name of the option, and nothing is called', async (option, words) => {
  const lambda = await answering({ days: [] });
  const ended = await certrelay(`forecast ${option}`, lambda);
  expect(ended).toMatchObject({ code: 2, out: '', err: expect.stringContaining(words) });
  expect(ended.err).not.toContain('\u001b');
  expect(lambda.events).toEqual([]);
});

it('of an installation that does not know it is a mistake in words; without a forecast it says to update', async () => {
  const failures = [{ what: 'issue', code: 'Event', message: 'invalid event: unknown field "forecast"' }];
  const refused = await certrelay('forecast', await answering({ ok: false, failures }));
  expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringContaining('unknown field') });
  const other = await certrelay('forecast', await answering({ summary: {} }));
  expect(other).toMatchObject({ code: 1, out: '', err: expect.stringContaining('update the installation') });
});
