// What is remembered of troubles: what stops orders and deliveries, what was last told of it, and what a
// person knows already.

/** `Degraded`: a person must act, or time runs out. `Suspended`: a person stopped it, or knows of it.
 *  `Progressing`: work is under way, or waits for its time. `Healthy`: nothing to do. The worst first. */
export const healthWords = ['Degraded', 'Suspended', 'Progressing', 'Healthy'] as const;
/** One of `healthWords`. */
export type HealthWord = (typeof healthWords)[number];

/** Who was told of a change of health. `events`: the event bus; `notices`: the queue of notices. */
export const tellers = ['events', 'notices'] as const;
/** One of `tellers`. */
export type Teller = (typeof tellers)[number];

/** What `status` noted of something that is not well, or that became well and was not told everywhere yet. */
export interface HealthNote {
  readonly health: HealthWord;
  /** A word of the closed list of reasons; text, because another version may have written it. */
  readonly reason: string;
  /** When it began to be so. */
  readonly since: Date;
  /** Who has been told. */
  readonly told: readonly Teller[];
  /** It was `Degraded` before, and somebody has not been told yet that it is so no longer. */
  readonly wasDegraded?: true | undefined;
  /** People were told of it with its cause, an issuer or a function, and not by itself. */
  readonly isCaused?: true | undefined;
  /** What tells this change from the same one at another time; absent: nothing was noted before. */
  readonly turn?: string | undefined;
}

/** A person knows of a trouble and wants no notice of it. It covers one reason and ends by itself. */
export interface Acknowledgement {
  readonly until: Date;
  /** The reason that it covers. */
  readonly reason: string;
  /** The person's words. */
  readonly words: string;
}

/** What was noted of something, and what a person knows of it. */
export interface SubjectNote extends HealthNote {
  readonly acknowledged?: Acknowledgement | undefined;
  /** Since when it is `Healthy` again: `reason` and `since` are then those of the trouble before. */
  readonly wellSince?: Date | undefined;
}

/** What stops an order or a delivery, from the first time that it did to the last success. */
export interface Trouble {
  readonly since: Date;
  /** A code of ours, or the type of a CA's problem. */
  readonly code: string;
  /** What causes it for many at once: `cluster/prod`, `issuer/letsencrypt`, `function/issue`. Of one target:
   *  `target/prod/shop/shop-tls`. Absent: the certificate itself. */
  readonly cause?: string | undefined;
  /** One line for people, cut if it is long. */
  readonly words: string;
}
