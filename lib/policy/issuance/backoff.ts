// When a failed certificate, or a failed delivery, may be tried again.

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Waits after the first failures, as Let's Encrypt's integration guide asks; daily from then on. */
const waitsMs = [minuteMs, 10 * minuteMs, 100 * minuteMs] as const;

/** Waits after the first failures of a delivery; the last of them from then on: a cluster comes back without telling. */
const deliveryWaitsMs = [5 * minuteMs, 30 * minuteMs, 120 * minuteMs, 360 * minuteMs] as const;

/** The longest wait any of the CA's limits explains; a longer one would let certificates expire on a mistaken answer. */
const longestRetryAfterMs = 7 * dayMs;

/** Instant before which there is no further attempt. `failures` counts those since the last success, this one included.
 *  The CA's Retry-After wins wherever it asks for more, up to 7 days; it never makes attempts more frequent. */
export function nextAttempt(facts: {
  readonly failures: number;
  readonly now: Date;
  readonly retryAfterMs?: number | undefined;
}): Date {
  const waitMs = waitsMs[Math.max(0, facts.failures - 1)] ?? dayMs;
  const retryAfterMs = Math.min(facts.retryAfterMs ?? 0, longestRetryAfterMs);
  return new Date(facts.now.getTime() + Math.max(waitMs, retryAfterMs));
}

/** Whether a reconcile leaves a delivery alone until `after`. An instant that no wait explains is one that somebody else
 *  wrote on the tag: it puts nothing off. */
export function isPutOff(after: Date, now: Date): boolean {
  const leftMs = after.getTime() - now.getTime();
  return leftMs > 0 && leftMs <= deliveryWaitsMs[3];
}

/** Instant before which no reconcile tries again what it could not deliver. `failures` counts the passes in a row that left
 *  something undelivered, this one included. */
export function nextDelivery({ failures, now }: { readonly failures: number; readonly now: Date }): Date {
  const waitMs = deliveryWaitsMs[Math.max(0, failures - 1)] ?? deliveryWaitsMs[3];
  return new Date(now.getTime() + waitMs);
}
