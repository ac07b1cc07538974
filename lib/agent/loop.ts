// Runs an agent's passes one after the other, with waits between them, until the agent is stopped.
import type { Clock } from '../ports/clock.ts';

/** How often passes run, and what ends them. */
export interface LoopOptions {
  /** Average time between passes. */
  readonly intervalMs: number;
  /** Longest wait after a failed pass, never longer than `intervalMs`. Absent: `intervalMs`, so a target
   *  that always fails causes hardly more passes than a healthy one. */
  readonly longestRetryMs?: number | undefined;
  readonly clock: Clock;
  /** A new random number from 0 to below 1 at each call. */
  readonly random: () => number;
  /** Ends the loop: at once during a wait, else after the running pass. */
  readonly stop: AbortSignal;
}

/** Longest wait after the first failure. */
const firstRetryMs = 100;

/** Repeats `reconcile` until `stop` aborts. Never rejects.
 *  @param reconcile One pass; resolves with whether everything succeeded, and must not reject. */
export async function repeatReconcile(
  reconcile: () => Promise<boolean>,
  options: LoopOptions,
): Promise<void> {
  const { clock, stop } = options;
  let failures = 0;
  while (!stop.aborted) {
    failures = (await reconcile()) ? 0 : failures + 1;
    try {
      await clock.sleep(waitMs(failures, options), stop);
    } catch {
      return;
    }
  }
}

/** The wait before the next pass. After a success: half to one and a half intervals, at random, so that
 *  agents do not run at the same time. After failures: random, up to a limit that doubles with each
 *  failure. */
function waitMs(failures: number, { intervalMs, longestRetryMs = intervalMs, random }: LoopOptions): number {
  if (failures === 0) return intervalMs * (0.5 + random());
  const limit = firstRetryMs * 2 ** Math.min(failures - 1, 30);
  return random() * Math.min(limit, longestRetryMs, intervalMs);
}
