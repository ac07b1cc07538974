// Measures what a forecast over very many certificates takes.
import { ForecastLab, target } from '../policy/forecast/observed.ts';
import { type Figure, median } from './figure.ts';

const many = 10_000;
const days = 90;
const repeats = 3;
const bytesOfKb = 1_000;

/** 10,000 certificates of Let's Encrypt with windows, in memory: what is left is its own. */
export async function benchForecast(): Promise<readonly Figure[]> {
  const lab = new ForecastLab();
  const windows = [
    { days: ['Sat', 'Sun'] as const, fromMinute: 60, toMinute: 240, timeZone: 'Europe/Berlin' },
  ];
  for (let index = 0; index < many; index += 1) {
    const name = `stock-${index}`;
    const spec = { issuer: 'letsencrypt', targets: [target(`${name}-tls`, windows)] };
    lab.keep(name, { days: index % 60, spec });
  }
  const times: number[] = [];
  let bytes = 0;
  for (let turn = 0; turn < repeats; turn += 1) {
    const startedAt = performance.now();
    bytes = JSON.stringify(lab.forecast(days)).length;
    times.push(performance.now() - startedAt);
  }
  const what = `forecast of ${days} days over ${many} certificates`;
  return [
    { what: `${what}: own time`, unit: 'ms', target: 3_000, measured: median(times) },
    { what: '  answer, in kB', unit: 'count', target: 200, measured: Math.ceil(bytes / bytesOfKb) },
  ];
}
