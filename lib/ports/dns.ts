// Ports to DNS and to the hosted zones that challenges are written to. Each comment is part of the contract.
import type { PreflightFacts } from '../policy/dns/preflight-facts.ts';
import { CertrelayError } from './errors.ts';

/** Why a change or a query of DNS failed.
 *  - `NoZone`: no public hosted zone of ours can have the challenge's record.
 *  - `Conflict`: other writers kept changing the zone at the same time.
 *  - `Throttled`: AWS throttled the request.
 *  - `Denied`: the IAM role lacks a right.
 *  - `NotVisible`: a change was accepted, but not every name server answers the value in time.
 *  - `Lookup`: DNS did not answer.
 *  - `Failed`: anything else, such as the end of the run. */
export type DnsErrorCode =
  | 'NoZone'
  | 'Conflict'
  | 'Throttled'
  | 'Denied'
  | 'NotVisible'
  | 'Lookup'
  | 'Failed';

/** A failed change or query of DNS. */
export class DnsError extends CertrelayError<DnsErrorCode> {}

/** The TXT value of one challenge. */
export interface TxtValue {
  /** Full name, e.g. `_acme-challenge.example.com`: lower case, no trailing dot. */
  readonly name: string;
  readonly value: string;
  /** Whether another value, which a name server answers, proves as much. Absent: none does. */
  readonly isMetBy?: ((text: string) => boolean) | undefined;
}

/** The result for some challenge names. A name that is not in `failed` succeeded. */
export interface RecordOutcome {
  readonly failed: ReadonlyMap<string, Error>;
}

/** Called with a challenge name as soon as it has succeeded or failed; `error` says why it failed. For a name
 *  that it is never called with, the outcome decides. */
export type OnRecordDone = (name: string, error?: Error) => void;

/** The TXT values of challenges in our hosted zones. A value is written at the end of its name's CNAMEs.
 *  Values of other writers at the same name are kept. */
export interface ChallengeRecords {
  /** Adds values with one atomic change per hosted zone, and resolves once every change is INSYNC. A value
   *  that exists is left as it is. A slow or failed zone does not stop the others: `onDone` is called for a
   *  name as soon as its own change is INSYNC. */
  present(values: readonly TxtValue[], signal: AbortSignal, onDone?: OnRecordDone): Promise<RecordOutcome>;
  /** Removes exactly these values. A value may be given by its first 8 characters
   *  (`policy/dns/txt-journal.ts`). A value that does not exist, or has no zone of ours, counts as removed. A
   *  value that the same run presented is removed where it was added, even if CNAMEs have changed since. Does
   *  not wait for INSYNC: `onDone` is called for a name as soon as its zone is changed. */
  cleanUp(values: readonly TxtValue[], signal: AbortSignal, onDone?: OnRecordDone): Promise<RecordOutcome>;
  /** Removes every value at these record names of which `isOurs` is true. Otherwise as `cleanUp`. */
  removeLasting(
    names: readonly string[],
    isOurs: (text: string) => boolean,
    signal: AbortSignal,
  ): Promise<RecordOutcome>;
}

/** Waits until the authoritative name servers answer every value, or one that proves as much, at most 2
 *  minutes for each name. A name that is not visible by then fails with DnsError `NotVisible`, or `Lookup` if
 *  its servers cannot be found. Concurrent calls with the same signal share what they find. */
export type AwaitVisible = (values: readonly TxtValue[], signal: AbortSignal) => Promise<RecordOutcome>;

/** The name at the end of a name's CNAMEs, or the name itself if it has none: lower case, no trailing dot. An
 *  answer is kept for the run.
 *  @throws DnsError `NoZone` if the CNAMEs are a circle or more than 8; `Lookup` if DNS does not answer. */
export type ResolveAlias = (name: string, signal: AbortSignal) => Promise<string>;

/** The name servers that DNS has for a zone now: lower case, no trailing dot. Empty if the name is not the
 *  top of a zone.
 *  @throws DnsError `Lookup` if DNS does not answer. */
export type FindNameServers = (zone: string, signal: AbortSignal) => Promise<readonly string[]>;

/** A public hosted zone of ours. */
export interface FoundZone {
  readonly id: string;
  readonly name: string;
  /** Zones of ours with longer names that the record is in too, but that DNS does not lead to. */
  readonly unused: readonly { readonly id: string; readonly name: string }[];
  /** The name servers that AWS assigned to it. @throws DnsError */
  delegationSet(signal: AbortSignal): Promise<readonly string[]>;
  /** The target of the CNAME record that it has at exactly this name; `undefined` if it has none there. A
   *  wildcard above the name is none. @throws DnsError */
  aliasAt(name: string, signal: AbortSignal): Promise<string | undefined>;
  /** Whether it has NS records at exactly this name. @throws DnsError */
  hasServersAt(name: string, signal: AbortSignal): Promise<boolean>;
}

/** The public hosted zone of ours that a record belongs in: the longest that DNS leads to. `undefined` if
 *  none holds the record, `no zones` if there are none at all. @throws DnsError `NoZone` if several zones
 *  have the name and DNS does not delegate to exactly one of them; `Denied` if the IAM role may not list
 *  the zones; `Throttled`, `Lookup` or `Failed`. */
export type FindHostedZone = (
  record: string,
  signal: AbortSignal,
) => Promise<FoundZone | 'no zones' | undefined>;

/** Reads what an order for these names depends on in DNS and Route 53. Wildcards keep their `*.`. With
 *  `lasting` it reads what persistent records depend on (dns-persist-01). With `caa`
 *  it reads only CAA records and makes no call to Route 53: for an order that may need no proof. Answers are
 *  kept for the run. A fact that cannot be read is part of the result.
 *  @throws the signal's reason once the signal is aborted, and nothing else. */
export type Preflight = (
  domains: readonly string[],
  about: 'all' | 'lasting' | 'caa',
  signal: AbortSignal,
) => Promise<PreflightFacts>;
