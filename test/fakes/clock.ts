// Clocks for tests: one whose time passes only when somebody sleeps, and the real one.
import type { Clock } from '../../lib/ports/clock.ts';

/** Time that passes only when somebody sleeps, or a test lets it pass; timers go off by it. */
export class FakeClock implements Clock {
  readonly slept: number[] = [];
  #now: number;
  readonly #timers = new Set<{ readonly at: number; readonly act: () => void }>();

  constructor(now: string) {
    this.#now = Date.parse(now);
  }

  now(): Date {
    return new Date(this.#now);
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.slept.push(ms);
    this.pass(ms);
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }

  pass(ms: number): void {
    this.#now += ms;
    const due = [...this.#timers].filter(({ at }) => at <= this.#now).toSorted((a, b) => a.at - b.at);
    for (const timer of due) if (this.#timers.delete(timer)) timer.act();
  }

  after(ms: number, act: () => void): () => void {
    const timer = { at: this.#now + ms, act };
    this.#timers.add(timer);
    // No time at all passes for a clock that stands still, too.
    if (ms <= 0) setImmediate(() => this.pass(0));
    return () => void this.#timers.delete(timer);
  }

  timeout(ms: number): AbortSignal {
    const ending = new AbortController();
    this.after(ms, () => ending.abort(new DOMException('the time is over', 'TimeoutError')));
    return ending.signal;
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
  after(ms, act) {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  timeout: (ms) => AbortSignal.timeout(ms),
};
