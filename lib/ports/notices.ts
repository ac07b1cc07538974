// Port to the queue of notices to people. Each comment is part of the contract.
import type { HealthChange, Subject } from '../policy/health/change.ts';
import type { HealthWord } from '../state/health.ts';

/** What one pass has to tell people. What is not there is not told. It contains no secret. Texts may come
 *  from strangers: each channel makes them harmless. */
export interface NoticeMessage {
  /** When it was so: the time of the pass. */
  readonly at: Date;
  /** All changes of health of the pass, in any order. `notify` groups them by cause. */
  readonly changes?: readonly HealthChange[];
  /** Certificates that were issued, for channels with the event `Issued`. */
  readonly issued?: readonly IssuedCertificate[];
  /** A table of everything, for channels whose time for it has come. */
  readonly digest?: Digest;
}

/** A certificate that was issued and stored. */
export interface IssuedCertificate {
  /** Name of the certificate. */
  readonly certificate: string;
  readonly domains: readonly string[];
  /** Version id of the AWS secret. */
  readonly version: string;
  readonly notAfter: Date;
  /** A key of `issuers` in the inventory. */
  readonly issuer: string;
  /** As `nameDestination` writes them. */
  readonly targets: readonly string[];
}

/** The state of everything, for people who want to see it at regular times. */
export interface Digest {
  /** Names of the channels that get it, as `channelName` gives them. */
  readonly channels: readonly string[];
  /** How many certificates there are of each health. */
  readonly summary: Readonly<Record<HealthWord, number>>;
  /** Worst first, then the soonest end. */
  readonly rows: readonly DigestRow[];
}

/** One line of a digest. */
export interface DigestRow {
  readonly subject: Subject;
  readonly health: HealthWord;
  /** One word of the closed list of reasons; `null` for `Healthy`. */
  readonly reason: string | null;
  /** One sentence; `null` for `Healthy`. */
  readonly message: string | null;
  readonly since: Date | null;
  readonly notAfter: Date | null;
  /** Days until `notAfter`, with one decimal; negative after it. */
  readonly expiresInDays: number | null;
}

/** The queue of the function `notify`. */
export interface NoticeQueue {
  /** Hands over one message with everything that a pass has to tell. `id` identifies the pass in the log.
   *  What does not fit into a message of SQS is left out and counted: certificates that something else makes
   *  ill first, then the least bad. After a lost answer, or a second call, people may be told twice.
   *  @throws QueueError `QueueFailed`: nobody is told
   *  @throws the signal's reason once the signal is aborted. */
  send(message: NoticeMessage, id: string, signal: AbortSignal): Promise<void>;
}
