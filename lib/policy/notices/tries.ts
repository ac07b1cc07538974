// When a notice is tried again at a channel that did not take it.

/** Tries in all: the first, and nine more. The waits before them are those that Standard Webhooks
 *  recommends: 75 hours in all. */
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const waitsMs: readonly number[] = [
  5_000,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  10 * hourMs,
  14 * hourMs,
  20 * hourMs,
  24 * hourMs,
];

/** Longest wait that a channel may ask for. */
const longestWaitMs = 24 * hourMs;

/** The next try after `tries` that failed, or `undefined` if that was the last. `retryAfterMs`: how long the
 *  channel asks to wait. `random` (0 to 1) adds up to a tenth, so that many notices do not come at once. */
export function findNextTry(
  tries: number,
  now: Date,
  { retryAfterMs = 0, random }: { readonly retryAfterMs?: number | undefined; readonly random: number },
): Date | undefined {
  const wait = waitsMs[tries - 1];
  if (wait === undefined) return undefined;
  const asked = Math.min(retryAfterMs, longestWaitMs);
  return new Date(now.getTime() + Math.max(asked, wait) + Math.floor(random * (wait / 10)));
}
