// Limits the time that one cluster may take of a run. Only the time during calls counts.

/** The time budget of one connection. Time during which several calls are under way counts once. */
export class TimeBudget {
  readonly #budgetMs: number;
  #usedMs = 0;
  #underWay = 0;
  #since = 0;

  /** @param budgetMs In milliseconds; default: no limit. */
  constructor(budgetMs = Number.POSITIVE_INFINITY) {
    this.#budgetMs = budgetMs;
  }

  /** Starts to count a call. Call the returned function when the call ends. */
  begin(): () => void {
    if (this.#underWay === 0) this.#since = performance.now();
    this.#underWay += 1;
    return () => {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#usedMs += performance.now() - this.#since;
    };
  }

  /** The rest of the budget in whole milliseconds; 0 once it is used up. */
  leftMs(): number {
    const currentMs = this.#underWay === 0 ? 0 : performance.now() - this.#since;
    return Math.max(0, Math.ceil(this.#budgetMs - this.#usedMs - currentMs));
  }

  /** The whole budget in seconds, for messages. */
  get seconds(): number {
    return Math.round(this.#budgetMs / 1000);
  }
}
