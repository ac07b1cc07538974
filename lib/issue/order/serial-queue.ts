// Orders at one CA are made one after another, so that a crash between an order and the note of its URL loses one order at most.

/** One work's turn, for the one after it. */
interface Task {
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;
}

/** The turns of one wave. */
export class SerialQueue {
  readonly #patienceMs: number;
  #last: Task = { begun: Promise.resolve(), ended: Promise.resolve() };

  /** @param timeoutMs For how long one that takes its time holds up the next. */
  constructor(timeoutMs = 5_000) {
    this.#patienceMs = timeoutMs;
  }

  /** Does the work once the work before it has ended, however that ended, or has used up the patience. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#last = { begun: begun.promise, ended: ended.promise };
    await before.begun;
    const impatient = Promise.withResolvers<void>();
    const timer = setTimeout(impatient.resolve, this.#patienceMs);
    await Promise.race([before.ended, impatient.promise]);
    clearTimeout(timer);
    begun.resolve();
    try {
      return await work();
    } finally {
      ended.resolve();
    }
  }
}
