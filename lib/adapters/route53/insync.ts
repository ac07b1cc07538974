// Waits until a change has reached all servers of Route 53 (status INSYNC).
import { type PollProgress, poll } from '../../async/poll.ts';
import type { Clock } from '../../ports/clock.ts';
import { DnsError } from '../../ports/dns.ts';
import type { Route53Calls } from './calls.ts';

const firstPauseMs = 1_000;
/** Longest pause in the first minute. A longer one would delay the certificate: Route 53 gives no
 *  estimate. */
const longestPauseMs = 2_000;
/** After this time pauses grow, so that a slow change does not use up the request rate of the others. */
const usualMs = 60_000;
const longestLatePauseMs = 10_000;
/** A change that is still PENDING fails, so that it does not use up the time of the other zones. */
const timeoutMs = 5 * 60_000;

/** Resolves when the change with this id is INSYNC. Polls at once, then in growing pauses.
 *  @throws DnsError `NotVisible` after 5 minutes; `Failed` if the signal is aborted; what `isInsync`
 *  throws. */
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
      `change ${change} is still PENDING in Route 53 after five minutes; the next run tries again`,
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
