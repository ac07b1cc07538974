// When a failed certificate, or a failed delivery, may be tried again.
import type { Trouble } from '../../state/health.ts';
import { countOf } from '../words.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Waits after the first failures, as Let's Encrypt's integration guide asks. From then on: daily. */
const waitsMs = [minuteMs, 10 * minuteMs, 100 * minuteMs] as const;

/** Waits after the first failures of a delivery. From then on: the last one, because nobody says when a
 *  cluster is back. */
const deliveryWaitsMs = [5 * minuteMs, 30 * minuteMs, 120 * minuteMs, 360 * minuteMs] as const;

/** The longest wait that a CA's limit explains. A longer one would let certificates expire because of a
 *  wrong answer. */
const longestRetryAfterMs = 7 * dayMs;

/** The error code on the tags of a certificate whose order the CA still works on: nothing has failed. */
export const slowCode = 'Processing';
/** When such an order is looked at again, in milliseconds. */
export const slowLookMs = 55 * 60_000;

/** The instant before which there is no further attempt. `failures` counts those since the last success,
 *  this one included. A longer Retry-After of the CA counts, up to 7 days; it never makes attempts more
 *  frequent. */
export function nextAttempt(facts: {
  readonly failures: number;
  readonly now: Date;
  readonly retryAfterMs?: number | undefined;
}): Date {
  const waitMs = waitsMs[Math.max(0, facts.failures - 1)] ?? dayMs;
  const retryAfterMs = Math.min(facts.retryAfterMs ?? 0, longestRetryAfterMs);
  return new Date(facts.now.getTime() + Math.max(waitMs, retryAfterMs));
}

/** Whether a reconcile skips a delivery until `after`. An instant further away than any wait was written
 *  by somebody else, and counts as absent. */
export function isPutOff(after: Date, now: Date): boolean {
  const leftMs = after.getTime() - now.getTime();
  return leftMs > 0 && leftMs <= deliveryWaitsMs[3];
}

/** Says what failed last and when the next attempt is. The words of `problem` count if it has the same
 *  code. */
export function describeBackOff({
  failures,
  error,
  problem,
  nextAttempt: next,
}: {
  readonly failures: number;
  readonly error: string | undefined;
  readonly problem: Pick<Trouble, 'code' | 'words'> | undefined;
  readonly nextAttempt: Date;
}): string {
  const at = next.toISOString();
  if (error === slowCode) return `the CA still works on the order; issue looks again at ${at}`;
  const words = problem?.code === error ? ` (${problem?.words})` : '';
  const last = error === undefined ? '' : `, the last with ${error}${words}`;
  return `${countOf(failures, 'failed attempt')}${last}; next one at ${at}`;
}

/** The instant before which no reconcile tries a failed delivery again. `failures` counts the passes in a
 *  row that left something undelivered, this one included. */
export function nextDelivery({ failures, now }: { readonly failures: number; readonly now: Date }): Date {
  const waitMs = deliveryWaitsMs[Math.max(0, failures - 1)] ?? deliveryWaitsMs[3];
  return new Date(now.getTime() + waitMs);
}
