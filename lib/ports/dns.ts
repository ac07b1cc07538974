// The sockets between issuing and DNS: where challenges are answered, and what DNS says of it; each comment
// is part of the contract.
import type { PreflightFacts } from '../policy/dns/preflight.ts';
import { CertrelayError } from './errors.ts';

/** `NoZone`: no public hosted zone of ours takes the name's challenge. `Conflict`: another writer kept
 *  winning. `Throttled`, `Denied`: by AWS. `NotVisible`: INSYNC, yet an authoritative server does not answer
 *  the value. `Lookup`: DNS did not answer. */
export type DnsErrorCode =
  | 'NoZone'
  | 'Conflict'
  | 'Throttled'
  | 'Denied'
  | 'NotVisible'
  | 'Lookup'
  | 'Failed';

/** What DNS or Route 53 did not do; the code says why. */
export class DnsError extends CertrelayError<DnsErrorCode> {}

/** One DNS-01 value: `name` is the full `_acme-challenge.…` name, lower case, no trailing dot. */
export interface TxtValue {
  readonly name: string;
  readonly value: string;
}

/** What became of some record names; a name that is absent from `failed` succeeded. */
export interface RecordOutcome {
  readonly failed: ReadonlyMap<string, Error>;
}

/** Called with a record name once it is decided, and why where it failed; the outcome tells of those it is
 *  not called for. */
export type OnRecordDone = (name: string, error?: Error) => void;

/** DNS-01 TXT values in the zones that answer for them: the name's own, or the one its CNAME leads to. Values
 *  of others at the same name stay. */
export interface ChallengeRecords {
  /** Adds values, one atomic change per hosted zone, and resolves once every change is INSYNC. A value that
   *  is there already is left. One zone's failure or delay does not stop another's: `onDone` tells of each
   *  name as soon as the change that has it is INSYNC. */
  present(values: readonly TxtValue[], signal: AbortSignal, onDone?: OnRecordDone): Promise<RecordOutcome>;
  /** Takes just these values away, of which a value may be given by its first 8 characters
   *  (`policy/dns/txt-journal.ts`); a value that is gone already, or whose name no zone of ours takes, is passed
   *  over. Does not wait for INSYNC. A value that the same run presented is taken away where it was put,
   *  whatever CNAMEs say by then. `onDone` tells of each name as soon as its zone is changed. */
  cleanUp(values: readonly TxtValue[], signal: AbortSignal, onDone?: OnRecordDone): Promise<RecordOutcome>;
}

/** Asks the authoritative servers of the zone where each value really is until all are answered; a name is
 *  waited for two minutes. Calls that run side by side share what they find out. */
export type AwaitVisible = (values: readonly TxtValue[], signal: AbortSignal) => Promise<RecordOutcome>;

/** The name at the end of the CNAME chain that begins at `name`, which is `name` itself where it is no alias;
 *  lower case, no trailing dot. An answer is kept for the run. @throws DnsError `NoZone` where the chain is a
 *  circle or has over 8 aliases, `Lookup` where DNS does not answer. */
export type ResolveAlias = (name: string, signal: AbortSignal) => Promise<string>;

/** The name servers that DNS answers for a zone now, lower case, no trailing dot; none where no zone begins
 *  there.
 *  @throws DnsError `Lookup` where DNS does not answer. */
export type FindNameServers = (zone: string, signal: AbortSignal) => Promise<readonly string[]>;

/** A public hosted zone of ours. */
export interface FoundZone {
  readonly id: string;
  readonly name: string;
  /** The name servers that AWS gave it. @throws DnsError. */
  delegationSet(signal: AbortSignal): Promise<readonly string[]>;
}

/** The public hosted zone of ours that a record belongs in; `undefined` where there is none.
 *  @throws DnsError `NoZone` where several zones have the name and DNS leads to none of them, `Denied` where
 *  AWS does not let us see the zones. */
export type FindHostedZone = (record: string, signal: AbortSignal) => Promise<FoundZone | undefined>;

/** What DNS and Route 53 say now of the names of a certificate, as far as an order depends on it; wildcards
 *  keep their `*.`. `caa`: for an order that may need no proof, CAA alone, without a call to Route 53. An
 *  answer is kept for the run. What cannot be learned is part of the facts: it only rejects where the signal
 *  ends it. */
export type Preflight = (
  domains: readonly string[],
  about: 'all' | 'caa',
  signal: AbortSignal,
) => Promise<PreflightFacts>;
