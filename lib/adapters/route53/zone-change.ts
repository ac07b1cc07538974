// One zone's change: read, plan, write as one atomic batch; again where somebody else wrote in between.

import type { Clock } from '../../ports/clock.ts';
import { DnsError } from '../../ports/dns.ts';
import { toError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { HostedZone } from './calls.ts';
import { type NamePlan, planAddition, planRemoval, splitIntoBatches } from './change-plan.ts';
import { blamedNames, type Refusal } from './failure.ts';
import { readTxtSets } from './record-sets.ts';

/** What a zone's change needs beside the change itself. */
export interface ZoneContext {
  readonly clock: Clock;
  readonly log: Log;
  /** At least 0, less than 1. */
  readonly random: () => number;
}

/** Values by record name, to be added or removed. */
export interface ZoneRequest {
  readonly kind: 'add' | 'remove';
  readonly zone: HostedZone;
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** Told of names that are as they should be, with the id of the change that is to be waited for where one was needed. */
  readonly onWritten: (names: readonly string[], change?: string) => void;
  readonly onFailed: (names: readonly string[], error: Error) => void;
}

/** Rounds that may end in a conflict before the names in conflict are given up. */
const mostConflicts = 8;
const firstPauseMs = 250;
const longestPauseMs = 5_000;

/** Changes one zone; the caller sees to it that no two of these run for one zone at once. Never rejects: each name
 *  is told of once, as soon as it is decided, and one that AWS blames does not hold up the others. */
export async function changeZone(
  { kind, zone, values, onWritten, onFailed }: ZoneRequest,
  { clock, log, random }: ZoneContext,
  signal: AbortSignal,
): Promise<void> {
  const left = new Map(values);
  const fail = (names: readonly string[], error: Error) => {
    for (const name of names) left.delete(name);
    onFailed(names, error);
  };

  /** Writes what can be written, and tells whether to pause before the next round. */
  async function tryOnce(isLastConflict: boolean): Promise<'pause' | 'go on'> {
    const live = await readTxtSets(zone, [...left.keys()], signal);
    const plan = kind === 'add' ? planAddition : planRemoval;
    const plans = [...left].map(([name, wanted]) => plan(name, live.get(name) ?? [], wanted));
    for (const { name, changes, refusal } of plans) {
      if (refusal !== undefined) fail([name], new DnsError('Failed', refusal));
      else if (changes.length === 0 && left.delete(name)) onWritten([name]);
    }
    let next: 'pause' | 'go on' = 'go on';
    for (const batch of splitIntoBatches(plans.filter(({ changes }) => changes.length > 0))) {
      const names = batch.map(({ name }) => name);
      const answer = await zone.calls.change(zone, batch.flatMap(changesOf), signal);
      if (answer.kind === 'accepted') {
        for (const name of names) left.delete(name);
        onWritten(names, answer.change);
      } else if (answer.kind === 'refused' || isLastConflict) {
        const blamed = blamedNames(answer, names);
        fail(blamed.length > 0 ? blamed : names, describeRefusal(answer, zone));
      } else {
        next = 'pause';
        log.debug('zone changed by somebody else', { zone: zone.name, names });
      }
    }
    return next;
  }

  try {
    for (let conflicts = 0; left.size > 0; ) {
      const next = await tryOnce(conflicts >= mostConflicts);
      if (next === 'go on') continue;
      const pause = Math.min(firstPauseMs * 2 ** conflicts, longestPauseMs);
      conflicts += 1;
      // Between half and all of the pause, so that two writers who met do not meet again.
      await clock.sleep(pause * (0.5 + random() / 2), signal);
    }
  } catch (error) {
    fail([...left.keys()], stopped(error, zone, signal));
  }
}

function changesOf(plan: NamePlan) {
  return plan.changes;
}

function describeRefusal({ kind, said, cause }: Refusal, zone: HostedZone): DnsError {
  if (kind === 'refused') {
    return new DnsError('Failed', `Route 53 refused the change in hosted zone ${zone.name}: ${said}`, {
      cause,
    });
  }
  const message = `somebody else kept changing hosted zone ${zone.name} while we did (${said}); it is tried again in the next run`;
  return new DnsError('Conflict', message, { cause });
}

function stopped(error: unknown, zone: HostedZone, signal: AbortSignal): Error {
  if (error instanceof DnsError) return error;
  if (!signal.aborted) return toError(error);
  const message = `the run ended before hosted zone ${zone.name} was changed`;
  return new DnsError('Failed', message, { cause: signal.reason });
}
