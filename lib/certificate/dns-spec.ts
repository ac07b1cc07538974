// How the inventory describes DNS: in which hosted zones challenges are written, and by which roles.

/** A role of another AWS account that may change the hosted zones of some names. */
export interface ZoneAccess {
  /** The role is for this name and all names below it. */
  readonly match: string;
  readonly roleArn: string;
  /** The `sts:ExternalId` that the role's trust policy requires. */
  readonly externalId?: string | undefined;
}

/** Where challenges are written. */
export interface DnsSpec {
  /** A public hosted zone of ours, or a name below one, that CNAMEs in other DNS zones point to. */
  readonly delegationZone?: string | undefined;
  /** Names whose hosted zones may also be in other AWS accounts. */
  readonly zones?: readonly ZoneAccess[] | undefined;
  /** Whether `issue` checks DNS before it orders; absent: yes. */
  readonly preflight?: boolean | undefined;
}
