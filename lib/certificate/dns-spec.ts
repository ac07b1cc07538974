// What a user asks for of DNS: which hosted zones there are to write in, and how they are reached.

/** A role of another AWS account, by which the hosted zones of some names are reached. */
export interface ZoneAccess {
  /** The names it is for: this one and all below it. */
  readonly match: string;
  readonly roleArn: string;
  /** What the role's trust policy asks for as `sts:ExternalId`. */
  readonly externalId?: string | undefined;
}

/** How challenges reach zones of ours. */
export interface DnsSpec {
  /** A public hosted zone of ours, or a name below one, that CNAMEs of names elsewhere are to lead into. */
  readonly delegationZone?: string | undefined;
  /** Names whose hosted zones may be in other AWS accounts, beside those of this one. */
  readonly zones?: readonly ZoneAccess[] | undefined;
  /** Whether DNS is looked at before an order; absent: it is. */
  readonly preflight?: boolean | undefined;
}
