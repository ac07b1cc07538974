// Runs invocations side by side, one call of a port at a time, in an order that follows from the seed.
import { clockOf, type VirtualClock } from './clock.ts';
import type { Random } from './random.ts';

/** One invocation of a function. Once dead it gets no answer any more, as a process that was killed. */
export interface SimulatedRun {
  readonly name: string;
  readonly startedAt: number;
  readonly isDryRun: boolean;
  isDead: boolean;
  isOver: boolean;
}

/** What happens to a call. `stalls`: it takes minutes. `fails`: before it has an effect. `lost`: it has its
 *  effect, and the caller gets an error. `killed…`: the invocation ends at the call. */
export type Fault = 'none' | 'stalls' | 'fails' | 'lost' | 'killed before' | 'killed after';

/** A call of a port. */
export interface PortCall<T> {
  /** `cluster.applySecret lab/shop/shop-tls`. */
  readonly label: string;
  readonly signal?: AbortSignal | undefined;
  /** Its effect and its answer. */
  readonly act: () => T | Promise<T>;
  /** How it fails: throws the port's error, or gives the answer that says so. */
  readonly fail: (fault: 'fails' | 'lost') => T;
}

interface Turn {
  readonly run: SimulatedRun;
  readonly begin: () => void;
}

const endless = new AbortController().signal;
const never = new Promise<never>(() => undefined);

/** Lets calls wait for their turn, and gives them one after another. */
export class Scheduler {
  readonly clock: VirtualClock;
  /** What happens to a call; `none` for every call once the faults are over. */
  drawFault: (run: SimulatedRun, label: string) => Fault = () => 'none';
  /** Is told of each call that had its turn. */
  onCall: (run: SimulatedRun, label: string, outcome: string) => void = () => undefined;
  readonly #random: Random;
  readonly #waiting: Turn[] = [];
  #busy = 0;

  constructor(clock: VirtualClock, random: Random) {
    this.clock = clock;
    this.#random = random;
  }

  /** Makes a call once it is its turn. */
  async call<T>(run: SimulatedRun, { label, signal, act, fail }: PortCall<T>): Promise<T> {
    await this.#turn(run, signal);
    const fault = this.drawFault(run, label);
    if (fault === 'stalls') {
      this.onCall(run, label, fault);
      await clockOf(this.clock, run).sleep(this.#random.between(5, 150) * 1_000, signal ?? endless);
    }
    if (fault === 'killed before') return this.#kill(run, label, fault);
    if (fault === 'fails') {
      this.onCall(run, label, fault);
      return fail('fails');
    }
    this.#busy += 1;
    let answer: T;
    try {
      answer = await act();
    } catch (error) {
      this.onCall(run, label, `refused: ${error instanceof Error ? error.message.slice(0, 80) : ''}`);
      throw error;
    } finally {
      this.#busy -= 1;
    }
    if (run.isDead) return never;
    if (fault === 'killed after') return this.#kill(run, label, fault);
    this.onCall(run, label, fault === 'lost' ? 'lost' : 'ok');
    return fault === 'lost' ? fail('lost') : answer;
  }

  /** Gives turns and lets time pass until `isOver`.
   *  @throws Error if nothing is left that could happen. */
  async drive(isOver: () => boolean): Promise<void> {
    for (;;) {
      await this.#settle();
      if (isOver()) return;
      const alive = this.#waiting.filter(({ run }) => !run.isDead);
      this.#waiting.splice(0, this.#waiting.length, ...alive);
      if (alive.length > 0) {
        const turn = alive[this.#random.between(0, alive.length - 1)];
        this.clock.passTo(this.clock.now + this.#latencyMs());
        turn?.begin();
        continue;
      }
      const next = this.clock.next();
      if (next === undefined) throw new Error('the simulation stands still');
      this.clock.passTo(next);
    }
  }

  #turn(run: SimulatedRun, signal: AbortSignal | undefined): Promise<void> {
    if (run.isDead) return never;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const leave = () => {
        const index = this.#waiting.indexOf(turn);
        if (index >= 0) this.#waiting.splice(index, 1);
        signal?.removeEventListener('abort', abort);
      };
      const abort = () => {
        leave();
        if (!run.isDead) reject(signal?.reason);
      };
      const turn = {
        run,
        begin: () => {
          leave();
          if (run.isDead || signal?.aborted) return;
          resolve();
        },
      };
      this.#waiting.push(turn);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #kill(run: SimulatedRun, label: string, fault: string): Promise<never> {
    run.isDead = true;
    this.onCall(run, label, fault);
    return never;
  }

  /** Waits until every invocation waits for a turn or for time. */
  async #settle(): Promise<void> {
    do {
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#busy > 0);
  }

  /** Most calls take some milliseconds, and a few take seconds. */
  #latencyMs(): number {
    return this.#random.chance(0.01) ? this.#random.between(1_000, 12_000) : this.#random.between(5, 80);
  }
}
