// State of a version's delivery: how far it is at each target, what stops it, what is served.

/** How far a version is at a target. `none`: not delivered; `applied`: the Kubernetes Secret contains it;
 *  `rolled-out`: the workloads run with it. */
export type DeliveryPhase = 'none' | 'applied' | 'rolled-out';

/** Failed deliveries in a row, and the instant of the next attempt. */
export interface DeliveryRetry {
  readonly failures: number;
  readonly after: Date;
}

/** What a target holds, as it was last delivered there. */
export interface Holding {
  /** The first eight characters of the version. */
  readonly version: string;
  /** The end of its validity, to the second. */
  readonly notAfter: Date;
}

/** How far one version is at each target. */
export interface DeliveryRecord {
  readonly version: string;
  /** `orderedTargetsKey` of the targets. The record says nothing about other targets. */
  readonly targets: string;
  /** One phase for each target, in their order. */
  readonly phases: readonly DeliveryPhase[];
  /** Absent if nothing failed. */
  readonly retry?: DeliveryRetry;
  /** One for each target, in their order; `undefined` where it is not known. Absent in records of earlier
   *  versions of Certrelay. */
  readonly holds?: readonly (Holding | undefined)[];
}

/** A frozen version: it failed at a target, a person took it back, or it was imported from a cluster. It is
 *  delivered nowhere else until a person resumes it. A newer version ends the freeze. A freeze that no person
 *  requested also ends when the previous version expires. */
export interface Freeze {
  readonly version: string;
  /** `cluster/namespace/secret` of the target where it failed; `*`: a person took it back everywhere;
   *  `import`: it was imported from a cluster. */
  readonly target: string;
  /** One line for people. */
  readonly reason: string;
}

/** A person's decision to deliver a version further. Agents freeze versions in their own reports, which only
 *  they may write; they read this decision to end such a freeze. */
export interface Resumption {
  readonly version: string;
  readonly at: Date;
}

/** Results of a probe, from good to bad.
 *  - `served`: exactly this certificate.
 *  - `unprobed`: nobody could probe.
 *  - `unreachable`: no TLS server answered.
 *  - `stale`: another certificate for the name.
 *  - `mismatch`: a certificate for other names. */
export const servedWords = ['served', 'unprobed', 'unreachable', 'stale', 'mismatch'] as const;
/** One of `servedWords`. */
export type ServedWord = (typeof servedWords)[number];

/** Probe results by target. */
export interface ServedTargets {
  /** Hash of the addresses of the targets. The record says nothing about other addresses. */
  readonly addresses: string;
  /** One result for each target, in their order; `undefined` for a target without addresses. */
  readonly words: readonly (ServedWord | undefined)[];
}

/** Result of a probe, from outside or by an agent. */
export interface SeenServed {
  readonly word: ServedWord;
  /** Absent if no target has addresses. */
  readonly targets?: ServedTargets;
}

/** Result of a probe for one version. */
export interface ServedRecord extends SeenServed {
  readonly version: string;
}

/** Report of an agent about one certificate in its cluster. */
export interface AgentReport {
  /** Delivery to the targets in that cluster. */
  readonly deployed?: DeliveryRecord;
  /** Result of the agent's probe, since when another certificate is served, and when it probed. */
  readonly served?: SeenServed;
  readonly notServedSince?: Date;
  readonly probedAt?: Date;
  /** The version that the agent has frozen. */
  readonly freeze?: Freeze;
  /** Time of the last `resume` that the agent has followed. */
  readonly resumedAt?: Date;
}
