// What must have happened at least once over many simulations, so that they do not come to show nothing.

/** Things that are rare, and that the simulations must come across. */
export const rareThings = [
  'certificate renewed',
  'certificate bent by the CA and not stored',
  'call stalled',
  'call failed',
  'answer lost',
  'invocation killed',
  'order of a dead invocation resumed',
  'claim taken over',
  'two invocations at once',
  'Secret changed between reading and applying',
  'conflict answered',
  'older version refused',
  'Secret drifted and put right',
  'Secret deleted and made again',
  'workload waits for a person',
  'workload never ready with a certificate',
  'version rolled back because it failed',
  'version rolled back by hand',
  'version resumed by hand',
  'delivery waited for its window',
  'delivery too urgent for its window',
  'rollout in waves',
  'rollout continued by a later invocation',
  'list behind the truth',
  'dry run',
] as const;

/** One of `rareThings`. */
export type RareThing = (typeof rareThings)[number];

/** How often each has happened. */
export class Tally {
  readonly #counts = new Map<RareThing, number>();

  /** Counts one more. */
  count(thing: RareThing): void {
    this.#counts.set(thing, (this.#counts.get(thing) ?? 0) + 1);
  }

  /** How often it has happened. */
  of(thing: RareThing): number {
    return this.#counts.get(thing) ?? 0;
  }

  /** Adds what another has counted. */
  add(other: Tally): void {
    for (const thing of rareThings) {
      if (other.of(thing) > 0) this.#counts.set(thing, this.of(thing) + other.of(thing));
    }
  }

  /** Those that have never happened. */
  missing(): readonly RareThing[] {
    return rareThings.filter((thing) => this.of(thing) === 0);
  }
}
