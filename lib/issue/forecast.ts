// Answers what will be ordered and delivered: by the inventory and the lists of AWS secrets alone.
import type { Inventory } from '../certificate/spec.ts';
import {
  type Forecast,
  type ForecastSurroundings,
  forecastIssuance,
} from '../policy/issuance/forecast/forecast.ts';
import { formatSpan } from '../policy/issuance/forecast/forecast-notes.ts';
import type { ObservedCertificate } from '../policy/issuance/forecast/subject.ts';
import type { Misfits } from '../policy/registration/grace.ts';
import { findTaggedMisfits, openGrace } from '../policy/registration/tagged-misfits.ts';
import { ConfigError } from '../ports/errors.ts';
import type { StoreEntry } from '../ports/store.ts';
import type { ForecastRequest } from '../requests/forecast.ts';
import { readRecord } from './gather/allowance.ts';
import type { IssuePorts } from './invocation.ts';

/** The ports of a forecast: it reads lists, and the record of the installation. */
export type ForecastPorts = Pick<IssuePorts, 'installation' | 'clock' | 'log'> & {
  readonly store: Pick<IssuePorts['store'], 'list'>;
};

/** What a forecast is made in. */
export interface ForecastInvocation {
  readonly inventory: Inventory;
  readonly surroundings: ForecastSurroundings;
  readonly signal: AbortSignal;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Time between two passes where nobody knows. */
const usualIntervalMs = 6 * hourMs;
/** How far ahead a forecast may begin. */
const mostDaysAhead = 1_100;
/** Passes in the lifetime of a certificate, so that one that fails leaves room for the next. */
const leastPasses = 4;

/** Makes the forecast. Changes nothing, reads no value, asks no CA.
 *  @throws ConfigError `Event` for times that cannot be forecast, StoreError if listing fails. */
export async function forecastIssue(
  request: ForecastRequest,
  ports: ForecastPorts,
  { inventory, surroundings, signal }: ForecastInvocation,
): Promise<Forecast> {
  const now = ports.clock.now();
  const intervalMs = surroundings.intervals.issue ?? usualIntervalMs;
  const { from: start = now, spanMs, lifetimeMs, reuseMs } = request;
  checkBeginning(start, now);
  checkLifetime(lifetimeMs, intervalMs);
  const entries = await ports.store.list(signal);
  const misfits = await findMisfits(entries, inventory, ports, signal);
  const rules = {
    now,
    start,
    end: new Date(start.getTime() + spanMs),
    intervalMs,
    lifetimeMs,
    reuseMs,
    inventory,
  };
  return forecastIssuance(observe(entries, inventory, misfits), rules, surroundings);
}

function checkBeginning(start: Date, now: Date): void {
  const aheadMs = start.getTime() - now.getTime();
  if (aheadMs < 0) throw refuse(`from: ${start.toISOString()} is over; leave it out to begin now`);
  if (aheadMs > mostDaysAhead * dayMs) throw refuse(`from: must be within ${mostDaysAhead} days`);
}

function checkLifetime(lifetimeMs: number | undefined, intervalMs: number): void {
  const leastMs = leastPasses * intervalMs;
  if (lifetimeMs === undefined || lifetimeMs >= leastMs) return;
  throw refuse(
    `lifetime: certificates of ${formatSpan(lifetimeMs)} could not be kept: issue looks every ${formatSpan(intervalMs)}, and half of a lifetime must have room for two passes; take ${formatSpan(leastMs)} or more, or set issueRate to a shorter time`,
  );
}

function refuse(problem: string): ConfigError {
  return new ConfigError('Event', `invalid event: ${problem}`);
}

/** Every certificate of the inventory and every AWS secret of a certificate, once. */
function observe(
  entries: readonly StoreEntry[],
  { certificates }: Inventory,
  misfits: ReadonlyMap<string, Misfits>,
): readonly ObservedCertificate[] {
  const specs = new Map(certificates.map((spec) => [spec.name, spec]));
  const listed = new Map(entries.map((entry) => [entry.name, entry]));
  return [...new Set([...specs.keys(), ...listed.keys()])].map((name) => ({
    name,
    entry: listed.get(name),
    spec: specs.get(name),
    misfits: misfits.get(name),
  }));
}

/** What the inventory does not allow, as tags tell. The installation's record is read only if something does
 *  not fit. */
async function findMisfits(
  entries: readonly StoreEntry[],
  inventory: Inventory,
  ports: ForecastPorts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Misfits>> {
  const misfits = findTaggedMisfits(entries, inventory);
  return misfits.size === 0 ? misfits : openGrace(misfits, await readRecord(ports, { signal }));
}
