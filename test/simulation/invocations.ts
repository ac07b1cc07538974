// Starts invocations, ends them when their time is over, and sees how they end.
import { describeError } from '../../lib/ports/errors.ts';
import { clockOf, type VirtualClock } from './clock.ts';
import type { Narration } from './narration.ts';
import type { Violation } from './rules.ts';
import type { SimulatedRun } from './scheduler.ts';
import type { Tally } from './sometimes.ts';

const secondMs = 1_000;
/** As Lambda's: no invocation lives longer. */
const invocationMs = 15 * 60 * secondMs;

/** The times of an invocation, as the runtime makes them. */
export interface InvocationTimes {
  readonly deadline: Date;
  readonly workUntil: Date;
  readonly signal: AbortSignal;
  readonly cleanUpSignal: AbortSignal;
}

/** The invocations of one simulation. */
export class Invocations {
  readonly #clock: VirtualClock;
  readonly #narration: Narration;
  readonly #tally: Tally;
  readonly #violate: (kind: Violation['kind'], message: string) => void;
  readonly #runs: SimulatedRun[] = [];
  #started = 0;

  constructor(
    clock: VirtualClock,
    narration: Narration,
    tally: Tally,
    violate: (kind: Violation['kind'], message: string) => void,
  ) {
    this.#clock = clock;
    this.#narration = narration;
    this.#tally = tally;
    this.#violate = violate;
  }

  /** Starts one. `work` may end badly, as stories do; a mistake of their own is a crash. */
  start(
    kind: 'issue' | 'deploy',
    request: { readonly dryRun?: boolean | undefined },
    work: (run: SimulatedRun, times: InvocationTimes) => Promise<void>,
  ): void {
    if (this.alive().length > 0) this.#tally.count('two invocations at once');
    const { now } = this.#clock;
    this.#started += 1;
    const isDryRun = request.dryRun === true;
    const name = `${kind}-${this.#started}`;
    const run: SimulatedRun = { name, startedAt: now, isDryRun, isDead: false, isOver: false };
    this.#runs.push(run);
    this.#narration.note(name, `began with ${JSON.stringify(request)}`);
    const stop = this.#clock.at(now + invocationMs, () => {
      run.isDead = true;
      this.#narration.note(name, 'its time was over');
    });
    const end = (how: string) => {
      if (run.isDead) return;
      stop();
      run.isOver = true;
      this.#narration.note(name, how);
      if (isDryRun) this.#tally.count('dry run');
    };
    work(run, this.#timesOf(run)).then(
      () => end('ended'),
      (error: unknown) => {
        this.findBugs([error]);
        end(`threw: ${describeError(error)}`);
      },
    );
  }

  /** Those that have neither ended nor died. */
  alive(): readonly SimulatedRun[] {
    const alive = this.#runs.filter(({ isDead, isOver }) => !isDead && !isOver);
    this.#runs.splice(0, this.#runs.length, ...alive);
    return alive;
  }

  /** A story ends with errors of its ports, and never with a mistake of its own. */
  findBugs(errors: readonly unknown[]): void {
    for (const error of errors) {
      if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError)
        this.#violate('crash', error.stack ?? error.message);
    }
  }

  #timesOf(run: SimulatedRun): InvocationTimes {
    const clock = clockOf(this.#clock, run);
    const workMs = invocationMs - 20 * secondMs;
    return {
      deadline: new Date(run.startedAt + invocationMs),
      workUntil: new Date(run.startedAt + workMs),
      signal: clock.timeout(workMs),
      cleanUpSignal: clock.timeout(invocationMs - secondMs),
    };
  }
}
