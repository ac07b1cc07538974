// Clocks for tests: one whose time passes only when somebody sleeps, and the real one.
import type { Clock } from '../../lib/ports/clock.ts';

/** Time that passes only when somebody sleeps. */
export class FakeClock implements Clock {
  readonly slept: number[] = [];
  #now: number;

  constructor(now: string) {
    this.#now = Date.parse(now);
  }

  now(): Date {
    return new Date(this.#now);
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.slept.push(ms);
    this.#now += ms;
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }

  pass(ms: number): void {
    this.#now += ms;
  }
}

/** The real clock, for real clusters: their rollouts take their time. */
export const realClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};
