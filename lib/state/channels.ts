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

/** An incident that a channel was told to open or to close. */
export interface ToldIncident {
  /** 8 hex digits: a hash of the channel and of what the incident was about. */
  readonly key: string;
  /** When it had begun or was over, to the second. */
  readonly at: Date;
  /** Absent: it was closed. */
  readonly isOpen?: true;
}
