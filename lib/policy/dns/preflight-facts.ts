// What DNS and Route 53 say before an order: the facts that the preflight judges.
import type { CaaRecord } from './caa.ts';
import type { ChainFacts } from './dnssec.ts';

/** The names that CNAMEs lead through, first to last. `ends`: the last one has no CNAME. `circle`: the
 *  last one is in the list twice. `too long`: more CNAMEs than a CA follows, so the last one was not
 *  asked. */
export interface AliasChain {
  readonly kind: 'ends' | 'circle' | 'too long';
  readonly names: readonly string[];
}

/** A DNS question without an answer. `isServfail`: a server answered SERVFAIL, and a CA then refuses.
 *  `isRefused`: a server answered REFUSED, as those do that have no such zone. With neither no server
 *  answered, which may be a problem of this machine's network only. */
export interface Unanswered {
  readonly kind: 'unanswered';
  /** Which server did not answer which question. */
  readonly problem: string;
  readonly isServfail: boolean;
  readonly isRefused?: boolean;
}

/** A question that was not asked, because the order may need no new proof of the name. */
export interface UnaskedQuestion {
  readonly kind: 'unasked';
}

/** An answer that only this machine's network gives (split DNS). A CA may get another one. */
export interface PrivateView {
  readonly kind: 'private';
  /** Which server answered what. */
  readonly problem: string;
}

/** A hosted zone of ours. */
export interface FoundZoneFacts {
  readonly kind: 'found';
  readonly id: string;
  readonly name: string;
  readonly delegationSet: readonly string[];
  /** The zone's name servers in DNS. A server with an address of the delegation set has the name it has
   *  there. */
  readonly live: readonly string[] | Unanswered | PrivateView;
  /** A zone below it that the record is in, as DNS says: the value would not be seen. `servers` may be
   *  empty. */
  readonly cut?: { readonly at: string; readonly servers: readonly string[] } | undefined;
  /** Longer hosted zones of ours that hold the record too, but that DNS does not lead to. */
  readonly unused?: readonly { readonly id: string; readonly name: string }[] | undefined;
}

/** The hosted zone for the challenge's record. `none`: no zone holds the name. `no
 *  zones`: there is no public hosted zone at all. `unclear`: several do, and
 *  DNS leads to none of them or it is unknown to which. `denied`: AWS denies access to the zones.
 *  `unknown`: the call failed. */
export type ZoneFacts =
  | FoundZoneFacts
  | { readonly kind: 'none' | 'no zones' }
  | { readonly kind: 'unclear' | 'denied' | 'unknown'; readonly problem: string }
  | UnaskedQuestion;

/** The CAA record set that applies to a name: its own, or that of the closest parent (RFC 8659 §3). */
export type CaaFacts =
  | { readonly kind: 'found'; readonly at: string; readonly records: readonly CaaRecord[] }
  | { readonly kind: 'none' }
  | Unanswered;

/** What DNS and Route 53 say of one name. */
export interface NameFacts {
  /** As in the order: a wildcard keeps its `*.`. */
  readonly domain: string;
  /** The full name that the CA asks for a TXT value. Absent: `_acme-challenge.…`. */
  readonly challenge?: string | undefined;
  readonly aliases: AliasChain | Unanswered | UnaskedQuestion;
  /** The name that would get the TXT value. */
  readonly recordName: string;
  readonly zone: ZoneFacts;
  /** TXT values that DNS has at a persistent record's name. Only read if DNS may not lead to the zone. */
  readonly texts?: readonly string[] | undefined;
  /** The CNAME record that stands at `challenge` itself, in a hosted zone of ours. Only read if the record
   *  would make the order fail. A CNAME that a wildcard makes is none. */
  readonly ownAlias?: OwnAlias | undefined;
  readonly caa: CaaFacts;
  /** Zones above the name, or above its record, whose keys do not fit the DS records of their parents. */
  readonly brokenChains?: readonly ChainFacts[] | undefined;
}

/** A CNAME record in a hosted zone of ours. */
export interface OwnAlias {
  readonly zone: { readonly id: string; readonly name: string };
  readonly target: string;
}

/** Everything that is judged before one order. */
export interface PreflightFacts {
  readonly names: readonly NameFacts[];
  /** `dns.delegationZone` of the inventory: our zone for delegated challenges. */
  readonly delegationZone?: string | undefined;
}
