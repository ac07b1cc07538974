// Runs work one after another: new orders at one CA, so that a crash before their URLs are recorded loses one
// order at most.
import type { Clock } from '../../ports/clock.ts';

/** Work in the queue, for the one behind it. */
interface Task {
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;
}

/** A queue that runs one work at a time, and does not wait for a slow one forever. */
export class SerialQueue {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #timeoutMs: number;
  #last: Task = { begun: Promise.resolve(), ended: Promise.resolve() };

  /** @param timeoutMs How long a slow work delays the next one, in milliseconds. */
  constructor(clock: Pick<Clock, 'after'>, timeoutMs = 5_000) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Runs the work once the one before it has ended, well or badly, or has taken too long. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#last = { begun: begun.promise, ended: ended.promise };
    await before.begun;
    const late = Promise.withResolvers<void>();
    const stopTimer = this.#clock.after(this.#timeoutMs, late.resolve);
    await Promise.race([before.ended, late.promise]);
    stopTimer();
    begun.resolve();
    try {
      return await work();
    } finally {
      ended.resolve();
    }
  }
}
