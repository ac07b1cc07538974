// How long one cluster may keep a run waiting: its share of the time, of which only what passes during calls is counted.

/** The share of one connection. Calls that are under way side by side use it up once. */
export class TimeShare {
  readonly #shareMs: number;
  #usedMs = 0;
  #underWay = 0;
  #since = 0;

  /** @param shareMs Absent: there is no end to it. */
  constructor(shareMs = Number.POSITIVE_INFINITY) {
    this.#shareMs = shareMs;
  }

  /** Counts until what it gives is called. */
  begin(): () => void {
    if (this.#underWay === 0) this.#since = performance.now();
    this.#underWay += 1;
    return () => {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#usedMs += performance.now() - this.#since;
    };
  }

  /** Whole milliseconds that are left; 0 once it is used up. */
  leftMs(): number {
    const now = this.#underWay === 0 ? 0 : performance.now() - this.#since;
    return Math.max(0, Math.ceil(this.#shareMs - this.#usedMs - now));
  }

  /** Seconds in all, for messages. */
  get seconds(): number {
    return Math.round(this.#shareMs / 1000);
  }
}
