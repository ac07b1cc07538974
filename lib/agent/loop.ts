// Passes one after the other, until somebody ends the agent.
import type { Clock } from '../ports/clock.ts';

export interface LoopOptions {
  readonly intervalMs: number;
  /** Longest wait after a pass that failed; never longer than the interval, which it is where it is absent: a target that
   *  always fails costs no more passes than one that is well. */
  readonly longestRetryMs?: number | undefined;
  readonly clock: Clock;
  /** From 0 up to 1, anew at each call. */
  readonly random: () => number;
  /** Ends the loop: at once while it waits, else with the pass under way. */
  readonly stop: AbortSignal;
}

/** First wait after a failure, at most. */
const firstRetryMs = 100;

/** @param reconcile Gives whether all went well; it must not reject. */
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

/** Spread over half an interval before and after its time, so that no two agents stay in step; after a failure anywhere up
 *  to a limit that doubles. */
function waitMs(failures: number, { intervalMs, longestRetryMs = intervalMs, random }: LoopOptions): number {
  if (failures === 0) return intervalMs * (0.5 + random());
  const limit = firstRetryMs * 2 ** Math.min(failures - 1, 30);
  return random() * Math.min(limit, longestRetryMs, intervalMs);
}
