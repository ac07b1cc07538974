// What is remembered of a version's way to its targets: how far it came, what stops it, what is served.

/** How far a target is with a version: not at all, the cluster Secret holds it, its workloads run with it. */
export type DeliveryPhase = 'none' | 'applied' | 'rolled-out';

/** Passes in a row that could not deliver the version to some target, and the instant before which none tries again. */
export interface DeliveryRetry {
  readonly failures: number;
  readonly after: Date;
}

/** How far each target is with one version. */
export interface DeliveryRecord {
  readonly version: string;
  /** `orderedTargetsKey` of the targets: of others nothing is known. */
  readonly targets: string;
  /** One for each of them, in their order. */
  readonly phases: readonly DeliveryPhase[];
  /** Absent where nothing failed. */
  readonly retry?: DeliveryRetry;
}

/** A version that failed at a target, or that a person took back: it goes nowhere else until it is resumed. A newer version
 *  ends the freeze by itself; and so does, where no person said it, the end of the version before. */
export interface Freeze {
  readonly version: string;
  /** `cluster/namespace/secret` where it failed; `*`: a person took it back everywhere. */
  readonly target: string;
  /** One line for people. */
  readonly reason: string;
}

/** That a person wants a version delivered on. Agents freeze by their own reports, which nobody else may write; this is how
 *  they hear of it. */
export interface Resumption {
  readonly version: string;
  readonly at: Date;
}

/** From good to bad. `served`: this very certificate. `unprobed`: nobody could look, which is not good news. `unreachable`: no
 *  TLS there. `stale`: another certificate for the name. `mismatch`: a certificate that is not for the name at all. */
export const servedWords = ['served', 'unprobed', 'unreachable', 'stale', 'mismatch'] as const;
/** What is served, in one word. */
export type ServedWord = (typeof servedWords)[number];

/** What each target serves. */
export interface ServedTargets {
  /** Hash of the addresses that the targets tell: of others nothing is known. */
  readonly addresses: string;
  /** One for each target, in their order; `undefined` for one that tells no address. */
  readonly words: readonly (ServedWord | undefined)[];
}

/** What was seen to be served, by whoever looked. */
export interface SeenServed {
  readonly word: ServedWord;
  /** Absent where no target tells its addresses. */
  readonly targets?: ServedTargets;
}

/** What was seen to be served of one version. */
export interface ServedRecord extends SeenServed {
  readonly version: string;
}

/** What an agent says of one certificate in its cluster. */
export interface AgentReport {
  /** For the targets in that cluster. */
  readonly deployed?: DeliveryRecord;
  /** What is served, seen from inside; since when it is another certificate, and when that was looked at. */
  readonly served?: SeenServed;
  readonly notServedSince?: Date;
  readonly probedAt?: Date;
  /** The version that failed there and is not tried again. */
  readonly freeze?: Freeze;
  /** When a person said the last `resume` that the agent has followed. */
  readonly resumedAt?: Date;
}
