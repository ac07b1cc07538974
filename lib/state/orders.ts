// What is remembered of a certificate's orders.

/** Orders of one certificate at one CA. */
export interface OrderLog {
  /** Directory URL they went to. */
  readonly directory: string;
  /** Registered domains of the names; at least one. */
  readonly registeredDomains: readonly string[];
  /** Oldest first, at least one; kept to the second. */
  readonly times: readonly Date[];
}

/** Whose order it is: an order is resumed only by who would make the same. */
export interface OrderOwner {
  /** Directory URL it went to. */
  readonly directory: string;
  /** Absent where the CA chose. */
  readonly profile?: string;
}

/** Which TXT values are ours, written down before they are written to DNS: the first eight characters of each, which no value of
 *  somebody else's has by chance. */
export type TxtJournal = readonly string[];
