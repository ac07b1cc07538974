// Failures with a code that callers branch on. Messages never hold a key, a token or PEM.
import type { AcmeProblem } from './acme.ts';

/** Base of every error this project throws on purpose. */
export class CertrelayError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** `Settings`: the environment; `Inventory`: the inventory file; `Event`: the event a function was called with. */
export class ConfigError extends CertrelayError {
  declare readonly code: 'Settings' | 'Inventory' | 'Event';
}

/** `Problem`: the CA refused (see `problem`). `Unreachable`: no answer. `Malformed`: an answer that is not RFC 8555.
 *  `Invalid`: an order ended invalid (see `problem`). `Unsupported`: the CA cannot do what the inventory asks. */
export type AcmeErrorCode = 'Problem' | 'Invalid' | 'Unreachable' | 'Malformed' | 'Unsupported';

export class AcmeError extends CertrelayError {
  declare readonly code: AcmeErrorCode;
  readonly problem: AcmeProblem | undefined;
  /** What the CA asked for by Retry-After, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The CA has paused a name of this account: nothing is ordered for it before a person visits this page (https). */
  readonly pausedUrl: string | undefined;
  constructor(
    code: AcmeErrorCode,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly problem?: AcmeProblem;
      readonly retryAfterMs?: number;
      readonly pausedUrl?: string;
    } = {},
  ) {
    super(code, message, options);
    this.problem = options.problem;
    this.retryAfterMs = options.retryAfterMs;
    this.pausedUrl = options.pausedUrl;
  }
}

/** `NoZone`: no public hosted zone of ours takes the name's challenge. `Conflict`: another writer kept winning.
 *  `Throttled`, `Denied`: by AWS. `NotVisible`: INSYNC, yet an authoritative server does not answer the value. `Lookup`: DNS
 *  did not answer. */
export type DnsErrorCode =
  | 'NoZone'
  | 'Conflict'
  | 'Throttled'
  | 'Denied'
  | 'NotVisible'
  | 'Lookup'
  | 'Failed';
export class DnsError extends CertrelayError {
  declare readonly code: DnsErrorCode;
}

/** `TooLarge`: over 64 KB. `Denied`: access denied. `Throttled`, `Failed`: by AWS. */
export type StoreErrorCode = 'TooLarge' | 'Denied' | 'Throttled' | 'Failed';
export class StoreError extends CertrelayError {
  declare readonly code: StoreErrorCode;
}

/** `Unreachable`: no connection or no answer, so the whole cluster is down. `Unavailable`: the server answered that it
 *  cannot now (429, 5xx). `Malformed`: an answer that is not Kubernetes'. `TooLarge`: one
 *  that is more than anybody reads. `Expired`: the list that was begun is no longer kept. `Forbidden`: RBAC (the message names the missing
 *  verb). `Foreign`: the Secret is not that certificate's. `TypeConflict`: its immutable `type` is another. `Replayed`: what an
 *  agent was told comes before what it was told last. `NotFound`, `Conflict`, `Rejected`: as the server says. `SignInFailed`: what signs in is missing or unusable, or it is refused.
 *  `Unsupported`: the server is too old for what is asked of it. `RolloutFailed`: the pods with the new certificate do not come up. */
export type ClusterErrorCode =
  | 'Unreachable'
  | 'Unavailable'
  | 'Malformed'
  | 'TooLarge'
  | 'Expired'
  | 'Forbidden'
  | 'Foreign'
  | 'TypeConflict'
  | 'Replayed'
  | 'NotFound'
  | 'Conflict'
  | 'Rejected'
  | 'SignInFailed'
  | 'Unsupported'
  | 'RolloutFailed';
export class ClusterError extends CertrelayError {
  declare readonly code: ClusterErrorCode;
}

/** By AWS Certificate Manager. `Denied`, `Throttled`: as AWS says. `LimitExceeded`: a quota of the account. `NotFound`: no
 *  certificate has the ARN. `NotImported`: one that ACM issued itself. `KeyTypeConflict`: under that ARN the key stays of
 *  another type. `Rejected`: it does not take the certificate. `Failed`: anything else. */
export type CertificateManagerErrorCode =
  | 'Denied'
  | 'Throttled'
  | 'LimitExceeded'
  | 'NotFound'
  | 'NotImported'
  | 'KeyTypeConflict'
  | 'Rejected'
  | 'Failed';
export class CertificateManagerError extends CertrelayError {
  declare readonly code: CertificateManagerErrorCode;
}

/** What an agent is told is not signed, is signed for another version or other targets, or not by a key it trusts for its
 *  cluster. `Unseen`: it is told of a failure that it has not seen. */
export type AgentErrorCode = 'Unsigned' | 'OtherVersion' | 'BadSignature' | 'OtherTargets' | 'Unseen';
export class AgentError extends CertrelayError {
  declare readonly code: AgentErrorCode;
}

/** `Unknown`: no such certificate. `BadCertificate`: the CA issued something else than was ordered, or what is of no use.
 *  `DueAgain`: what it issued is stored, and would be ordered again at once. `Unfinished`: an order was followed for as long as
 *  anybody waits. `Rehearsal`: a CA for tests did not validate the names. `Failed`: a certificate could not be kept; the cause
 *  tells. */
export type IssueErrorCode =
  | 'Unknown'
  | 'BadCertificate'
  | 'DueAgain'
  | 'Unfinished'
  | 'Rehearsal'
  | 'Failed';
export class IssueError extends CertrelayError {
  declare readonly code: IssueErrorCode;
}

/** What was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
