// Ports to the queue of notices to people, and to the channels. Each comment is part of the contract.
import type { NoticeChannel } from '../certificate/notice-spec.ts';
import type { HealthChange, Subject } from '../policy/health/change.ts';
import type { NoticeDelivery } from '../policy/notices/grouping.ts';
import type { Notice } from '../policy/notices/notice.ts';
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
  /** How many messages wait for `notify`, about. It reads them within seconds: those that it tries later, or
   *  works on, do not count.
   *  @throws QueueError `QueueFailed`
   *  @throws the signal's reason once the signal is aborted. */
  countWaiting(signal: AbortSignal): Promise<number>;
}

/** A notice on its way to one channel. */
export interface QueuedDelivery extends NoticeDelivery {
  /** Tries that failed. */
  readonly tries: number;
  /** When it is tried at the earliest. Absent: at once. */
  readonly notBefore?: Date | undefined;
}

/** The same queue, for what `notify` leaves itself: each notice has a message of its own for each channel, so
 *  that none waits for another. */
export interface DeliveryQueue {
  /** Hands over all of them. A message comes back after 15 minutes at most, also if it may not be tried yet.
   *  @throws QueueError `QueueFailed`: some may have been handed over
   *  @throws the signal's reason once the signal is aborted. */
  send(deliveries: readonly QueuedDelivery[], id: string, signal: AbortSignal): Promise<void>;
}

/** How one try ended. `words`: one short line for people that does not contain the channel's URL or key.
 *  `accepted`: the service has it. `refused`: it will never take it. `failed`: a later try may succeed, after
 *  `retryAfterMs` if the service says so. `posted`: how many incidents of the notice it has taken all the
 *  same, the first ones. */
export type TryResult =
  | { readonly kind: 'accepted' | 'refused'; readonly words: string }
  | {
      readonly kind: 'failed';
      readonly words: string;
      readonly retryAfterMs?: number | undefined;
      readonly posted?: number | undefined;
    };

/** Tries once to give a notice to a channel, for at most 15 seconds for each request. A second call may show
 *  it twice.
 *  @throws the signal's reason once the signal is aborted and the channel has taken nothing; nothing else. */
export type PostNotice = (channel: NoticeChannel, notice: Notice, signal: AbortSignal) => Promise<TryResult>;
