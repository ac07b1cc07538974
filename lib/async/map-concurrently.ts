// Doing many things at once, but not too many.

/** Maps items with at most `limit` calls under way; answers in the order of the items. The first rejection
 *  rejects, so `work` isolates what must not stop the others. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const entries = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** How a work shares slots with others. */
export interface SlotUse {
  /** For whom it is done; owners take turns, so one that has much to do does not keep the rest waiting for
   *  all of it. */
  readonly owner?: unknown;
  /** After how long its slot goes to the next, although it is still under way; absent: never. */
  readonly timeout?: { readonly ms: number; readonly clock: SlotClock };
}

/** What slots need of `Clock` (lib/ports/clock.ts). */
export interface SlotClock {
  after(ms: number, act: () => void): () => void;
}

/** Lets a number of works run at once, while the others wait. */
export class Slots {
  #free: number;
  readonly #perOwner: number;
  readonly #running = new Map<unknown, number>();
  /** By owner, the one whose turn is next first. */
  readonly #waiting = new Map<unknown, (() => void)[]>();

  /** @param perOwner How many of them one owner may have at once. */
  constructor(size: number, perOwner = size) {
    this.#free = size;
    this.#perOwner = perOwner;
  }

  /** Does the work once it has a slot, which it gives back at its end, however that is. */
  async use<T>(work: () => Promise<T>, { owner, timeout }: SlotUse = {}): Promise<T> {
    if (this.#free > 0 && this.#mayHave(owner)) this.#give(owner);
    else await this.#queue(owner);
    let isHeld = true;
    const giveBack = () => {
      if (isHeld) this.#takeBack(owner);
      isHeld = false;
    };
    const stopTimer = timeout?.clock.after(timeout.ms, giveBack);
    try {
      return await work();
    } finally {
      stopTimer?.();
      giveBack();
    }
  }

  #queue(owner: unknown): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const own = this.#waiting.get(owner) ?? [];
    own.push(resolve);
    this.#waiting.set(owner, own);
    return promise;
  }

  #mayHave(owner: unknown): boolean {
    return (this.#running.get(owner) ?? 0) < this.#perOwner;
  }

  #give(owner: unknown): void {
    this.#free -= 1;
    this.#running.set(owner, (this.#running.get(owner) ?? 0) + 1);
  }

  #takeBack(owner: unknown): void {
    this.#free += 1;
    const running = (this.#running.get(owner) ?? 0) - 1;
    if (running > 0) this.#running.set(owner, running);
    else this.#running.delete(owner);
    for (const [next, [begin, ...rest]] of this.#waiting) {
      if (!this.#mayHave(next)) continue;
      this.#waiting.delete(next);
      if (rest.length > 0) this.#waiting.set(next, rest);
      this.#give(next);
      begin?.();
      return;
    }
  }
}
