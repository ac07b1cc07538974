// State of a certificate's orders.

/** Recent orders of one certificate at one CA. */
export interface OrderLog {
  /** Directory URL of the CA. */
  readonly directory: string;
  /** Registered domains of the names; at least one. */
  readonly registeredDomains: readonly string[];
  /** Oldest first, at least one; kept to the second. */
  readonly times: readonly Date[];
}

/** Directory and profile of an order. It is resumed only for the same directory and profile. */
export interface OrderOwner {
  /** Directory URL of the CA. */
  readonly directory: string;
  /** Absent: the CA's default. */
  readonly profile?: string;
}

/** What the CA said last of the authorizations that it has for all names of a certificate. */
export interface ValidAuthorizations {
  /** When the first of them ends (RFC 8555 §7.1.4). */
  readonly expires: Date;
  /** When the CA said so. */
  readonly readAt: Date;
  /** Types of the challenges that proved the names, sorted. Empty if the CA names none. */
  readonly methods: readonly string[];
  /** Hash of the account's URL and of the exact set of names. */
  readonly subject: string;
  /** The profile that they serve. Absent if the CA chose. */
  readonly profile?: string;
}

/** TXT values of ours, recorded before they are written to DNS: the first eight characters of each. No value
 *  of somebody else begins with the same eight by chance. */
export type TxtJournal = readonly string[];
