// docs/operating/forecast.md against what a forecast answers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { at, dayMs, ForecastLab, hourMs, target } from '../policy/forecast/observed.ts';
import { top } from './markdown.ts';

const page = readFileSync(join(top, 'docs/operating/forecast.md'), 'utf8');

/** What the sample is about. */
function makeSample(): object {
  const lab = new ForecastLab();
  const windows = [{ days: ['Sat'] as const, fromMinute: 60, toMinute: 180, timeZone: 'Europe/Berlin' }];
  const issuer = 'letsencrypt';
  lab.keep('shop', { days: 58, spec: { issuer, targets: [target('shop-tls', windows), target('web-tls')] } });
  lab.keep('api', { spec: { issuer, targets: [target('api-tls')] } });
  const state = { pausedSince: at(-3), pauseReason: 'moving to another zone' };
  lab.keep('mail', { days: 40, state, spec: { issuer } });
  return lab.forecast(7, { reuseMs: 10 * dayMs, intervalMs: 6 * hourMs });
}

const withCost = z.looseObject({ cost: z.unknown() });

/** Names of all fields, also of those within. */
function fields(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const names = Object.entries(value).flatMap(([name, inner]) => [
    ...(Array.isArray(value) ? [] : [name]),
    ...fields(inner),
  ]);
  return [...new Set(names)].toSorted();
}

it('shows the answer as it is', () => {
  const [, sample = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const [shown, made] = [sample, JSON.stringify(makeSample())].map((text) =>
    withCost.parse(JSON.parse(text)),
  );
  // The cost changes with the stack, which has tests of its own.
  expect({ ...shown, cost: undefined }).toEqual({ ...made, cost: undefined });
  expect(fields(shown?.cost)).toEqual(fields(made?.cost));
});

it('says of every field of the answer what it is', () => {
  const told = new Set([...page.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
  expect(fields(makeSample()).filter((name) => !told.has(name))).toEqual([]);
});
