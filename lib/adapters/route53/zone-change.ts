// Changes TXT values in one hosted zone: reads, plans, writes an atomic batch, repeats after a conflict.
import type { Clock } from '../../ports/clock.ts';
import { DnsError } from '../../ports/dns.ts';
import { toError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { HostedZone } from './calls.ts';
import { type NamePlan, planAddition, planRemoval, splitIntoBatches } from './change-plan.ts';
import { blamedNames, type Refusal } from './failure.ts';
import { readTxtSets } from './record-sets.ts';

/** What a change needs besides the request. */
export interface ZoneContext {
  readonly clock: Clock;
  readonly log: Log;
  /** A random number: at least 0, less than 1. */
  readonly random: () => number;
}

/** TXT values to add to a zone or to remove from it. */
export interface ZoneRequest {
  readonly kind: 'add' | 'remove';
  readonly zone: HostedZone;
  /** The values of each record name. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** With `remove`: which other values at these names go too. */
  readonly isOurs?: ((text: string) => boolean) | undefined;
  /** Called with record names that are done. `change` is the id of the change to wait for; absent if Route 53
   *  had the values right already. */
  readonly onWritten: (names: readonly string[], change?: string) => void;
  /** Called with record names that could not be changed. */
  readonly onFailed: (names: readonly string[], error: Error) => void;
}

/** Rounds that may end in a conflict; after one more, the names in conflict fail. */
const mostConflicts = 8;
const firstPauseMs = 250;
const longestPauseMs = 5_000;

/** Changes the TXT values of one zone. Never rejects: reports each name once, to `onWritten` or `onFailed`,
 *  as soon as it is done or has failed. A name that AWS names in a refusal fails alone; the others are tried
 *  again. The caller must not run two changes of one zone at the same time. */
export async function changeZone(
  { kind, zone, values, isOurs, onWritten, onFailed }: ZoneRequest,
  { clock, log, random }: ZoneContext,
  signal: AbortSignal,
): Promise<void> {
  const pending = new Map(values);
  const fail = (names: readonly string[], error: Error) => {
    for (const name of names) pending.delete(name);
    onFailed(names, error);
  };

  /** Reads the zone once and sends the changes that it needs. `pause`: there was a conflict. */
  async function tryOnce(isLastConflict: boolean): Promise<'pause' | 'go on'> {
    const live = await readTxtSets(zone, [...pending.keys()], signal);
    const plans = [...pending].map(([name, texts]) => {
      const sets = live.get(name) ?? [];
      return kind === 'add' ? planAddition(name, sets, texts) : planRemoval(name, sets, texts, isOurs);
    });
    for (const { name, changes, refusal } of plans) {
      if (refusal !== undefined) fail([name], new DnsError('Failed', refusal));
      else if (changes.length === 0 && pending.delete(name)) onWritten([name]);
    }
    let next: 'pause' | 'go on' = 'go on';
    for (const batch of splitIntoBatches(plans.filter(({ changes }) => changes.length > 0))) {
      const names = batch.map(({ name }) => name);
      const result = await zone.calls.change(zone, batch.flatMap(changesOf), signal);
      if (result.kind === 'accepted') {
        for (const name of names) pending.delete(name);
        onWritten(names, result.change);
      } else if (result.kind === 'refused' || isLastConflict) {
        const blamed = blamedNames(result, names);
        fail(blamed.length > 0 ? blamed : names, describeRefusal(result, zone));
      } else {
        next = 'pause';
        log.debug('zone changed by somebody else', { zone: zone.name, names });
      }
    }
    return next;
  }

  try {
    for (let conflicts = 0; pending.size > 0; ) {
      const next = await tryOnce(conflicts >= mostConflicts);
      if (next === 'go on') continue;
      const pause = Math.min(firstPauseMs * 2 ** conflicts, longestPauseMs);
      conflicts += 1;
      // A random part of the pause, half at least, so that two writers in conflict do not meet again.
      await clock.sleep(pause * (0.5 + random() / 2), signal);
    }
  } catch (error) {
    fail([...pending.keys()], describeEnd(error, zone, signal));
  }
}

function changesOf(plan: NamePlan) {
  return plan.changes;
}

function describeRefusal({ kind, reason, cause }: Refusal, zone: HostedZone): DnsError {
  if (kind === 'refused') {
    return new DnsError('Failed', `Route 53 refused the change in hosted zone ${zone.name}: ${reason}`, {
      cause,
    });
  }
  const message = `another writer kept changing hosted zone ${zone.name} at the same time (${reason}); the next run tries again`;
  return new DnsError('Conflict', message, { cause });
}

/** The error for the names that are pending when a call or a pause fails. */
function describeEnd(error: unknown, zone: HostedZone, signal: AbortSignal): Error {
  if (error instanceof DnsError) return error;
  if (!signal.aborted) return toError(error);
  const message = `the run ended before hosted zone ${zone.name} was changed`;
  return new DnsError('Failed', message, { cause: signal.reason });
}
