// Draws what happens to each call of a port.
import type { SimulationOptions } from './options.ts';
import type { Random } from './random.ts';
import type { Fault, SimulatedRun } from './scheduler.ts';
import type { Tally } from './sometimes.ts';

/** The faults of one simulation: every call may fail, lose its answer or be the last of its invocation. */
export class FaultDrawer {
  readonly #options: Pick<SimulationOptions, 'stalls' | 'fails' | 'loses' | 'kills'>;
  readonly #random: Random;
  readonly #tally: Tally;
  /** Whether there are faults at all. */
  isOn = true;

  constructor(options: SimulationOptions, random: Random, tally: Tally) {
    this.#options = options;
    this.#random = random;
    this.#tally = tally;
  }

  /** What happens to the next call. */
  draw(_run: SimulatedRun, _label: string): Fault {
    if (!this.isOn) return 'none';
    const { stalls, fails, loses, kills } = this.#options;
    if (this.#random.chance(stalls)) return this.#count('call stalled', 'stalls');
    const drawn = this.#random.next();
    if (drawn < fails) return this.#count('call failed', 'fails');
    if (drawn < fails + loses) return this.#count('answer lost', 'lost');
    if (drawn < fails + loses + kills / 2) return this.#count('invocation killed', 'killed before');
    if (drawn < fails + loses + kills) return this.#count('invocation killed', 'killed after');
    return 'none';
  }

  #count(thing: 'call stalled' | 'call failed' | 'answer lost' | 'invocation killed', fault: Fault): Fault {
    this.#tally.count(thing);
    return fault;
  }
}
