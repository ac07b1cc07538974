// What is remembered of notice channels that cannot be reached.

/** A channel whose last try failed. A channel that works is not remembered. */
export interface FailingChannel {
  /** As `channelName` gives it: `slack`, `webhook ops`. */
  readonly channel: string;
  /** The first failed try since the last success. */
  readonly since: Date;
  /** Why the last try failed, in one short line without the channel's URL. */
  readonly words: string;
}
