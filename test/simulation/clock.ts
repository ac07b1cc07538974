// Virtual time: it jumps to what is due next, and passes a little with each call of a port.
import type { Clock } from '../../lib/ports/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

/** Time of one simulation. Timers of one instant go off in the order in which they were set. */
export class VirtualClock {
  #now: number;
  #set = 0;
  readonly #timers = new Set<Timer>();

  constructor(now: number) {
    this.#now = now;
  }

  /** Epoch milliseconds. */
  get now(): number {
    return this.#now;
  }

  /** Calls `act` at an instant, or as soon as time passes if that is over. Returns how to stop it. */
  at(instant: number, act: () => void): () => void {
    this.#set += 1;
    const timer = { at: instant, order: this.#set, act };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** When the next timer goes off; `undefined` if none is set. */
  next(): number | undefined {
    return this.#first()?.at;
  }

  /** Lets time pass up to an instant, with every timer on the way. */
  passTo(instant: number): void {
    for (let timer = this.#first(); timer && timer.at <= instant; timer = this.#first()) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.act();
    }
    this.#now = Math.max(this.#now, instant);
  }

  #first(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}

/** The clock port of one invocation, whose timers are silent once it is dead. */
export function clockOf(clock: VirtualClock, run: { readonly isDead: boolean }): Clock {
  const after = (ms: number, act: () => void) => {
    return clock.at(clock.now + Math.max(0, ms), () => {
      if (!run.isDead) act();
    });
  };
  return {
    now: () => new Date(clock.now),
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const abort = () => {
          stop();
          reject(signal.reason);
        };
        const stop = after(ms, () => {
          signal.removeEventListener('abort', abort);
          resolve();
        });
        signal.addEventListener('abort', abort, { once: true });
      }),
    timeout(ms) {
      const ending = new AbortController();
      after(ms, () => ending.abort(new DOMException('the time is over', 'TimeoutError')));
      return ending.signal;
    },
  };
}
