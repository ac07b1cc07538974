// Waits until Route 53 has told all of its servers of a change.

import { type PollProgress, poll } from '../../async/poll.ts';
import type { Clock } from '../../ports/clock.ts';
import { DnsError } from '../../ports/dns.ts';
import type { Route53Calls } from './calls.ts';

const firstPauseMs = 1_000;
/** Route 53 does not say when it will be done: on average half a pause is waited too long. */
const longestPauseMs = 2_000;
/** Usually it takes less than a minute. Who takes longer must not use up the requests of the others. */
const usualMs = 60_000;
const longestLatePauseMs = 10_000;
/** One zone that never gets there must not use up the time of the others. */
const timeoutMs = 5 * 60_000;

/** Resolves when the change is INSYNC; the first question is asked at once.
 *  @throws DnsError `NotVisible` after five minutes, `Failed` where the signal ends it, and what the call throws. */
export async function awaitInsync(
  change: string,
  calls: Route53Calls,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const polled = await poll(() => calls.isInsync(change, signal), isTrue, {
    clock,
    signal,
    pauseMs: nextPauseMs,
    untilMs: clock.now().getTime() + timeoutMs,
  });
  if (polled.kind === 'late') {
    throw new DnsError(
      'NotVisible',
      `Route 53 still says PENDING of change ${change} after five minutes; it is tried again in the next run`,
    );
  }
  if (polled.kind === 'aborted') {
    const message = `the run ended before change ${change} was INSYNC`;
    throw new DnsError('Failed', message, { cause: signal.reason });
  }
}

function isTrue(isInsync: boolean): boolean {
  return isInsync;
}

function nextPauseMs({ lastPauseMs, waitedMs }: PollProgress<boolean>): number {
  if (lastPauseMs === undefined) return firstPauseMs;
  return Math.min(lastPauseMs * 1.5, waitedMs < usualMs ? longestPauseMs : longestLatePauseMs);
}
