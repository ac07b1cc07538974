// Waiting for what nobody reports: looks at it, pauses and looks again.

/** The time, and waiting: what a poll needs of `Clock` (lib/ports/clock.ts). */
export interface PollClock {
  now(): Date;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** How far a poll has come when it is about to pause. */
export interface PollProgress<T> {
  /** What the last look gave. */
  readonly seen: T;
  /** How often it has paused before. */
  readonly pauses: number;
  /** The pause before this one, in milliseconds; `undefined` before the first. */
  readonly lastPauseMs: number | undefined;
  /** Since the poll began, in milliseconds. */
  readonly waitedMs: number;
}

/** Gives the length of the next pause, in milliseconds. */
export type NextPause<T> = (progress: PollProgress<T>) => number;

/** How often to look, and for how long. */
export interface PollOptions<T> {
  readonly clock: PollClock;
  /** Ends the poll at once. */
  readonly signal: AbortSignal;
  readonly pauseMs: NextPause<T>;
  /** Instant (epoch milliseconds) from which the poll pauses no more; absent: only the signal ends it. */
  readonly untilMs?: number | undefined;
  /** What was seen before the poll began: the first pause comes before the first look then. */
  readonly first?: T | undefined;
}

/** How a poll ended, with what the last look gave. `done`: as awaited. `late`: `untilMs` has passed.
 *  `aborted`: by the signal; `seen` is `undefined` if no look had ended by then. */
export type PollEnd<T> =
  | { readonly kind: 'done' | 'late'; readonly seen: T }
  | { readonly kind: 'aborted'; readonly seen: T | undefined };

/** Looks until `isDone` holds, `untilMs` passes or the signal is aborted. The first look is taken at once,
 *  and no two looks run at the same time. Rejects only with what a look throws while the signal is not
 *  aborted. */
export async function poll<T>(
  look: () => Promise<T>,
  isDone: (seen: T) => boolean,
  { clock, signal, pauseMs, untilMs = Infinity, first }: PollOptions<T>,
): Promise<PollEnd<T>> {
  const startedAt = clock.now().getTime();
  let last = first;
  let lastPauseMs: number | undefined;
  try {
    if (first === undefined) signal.throwIfAborted();
    for (let pauses = 0; ; pauses += 1) {
      const seen = pauses === 0 && first !== undefined ? first : await look();
      last = seen;
      if (isDone(seen)) return { kind: 'done', seen };
      if (signal.aborted) return { kind: 'aborted', seen };
      const now = clock.now().getTime();
      if (now >= untilMs) return { kind: 'late', seen };
      lastPauseMs = pauseMs({ seen, pauses, lastPauseMs, waitedMs: now - startedAt });
      await clock.sleep(lastPauseMs, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return { kind: 'aborted', seen: last };
  }
}

/** Pauses that grow by a factor, from `firstMs` up to `longestMs`. */
export function growing(firstMs: number, factor: number, longestMs: number): NextPause<unknown> {
  return ({ lastPauseMs }) => Math.min(lastPauseMs === undefined ? firstMs : lastPauseMs * factor, longestMs);
}
