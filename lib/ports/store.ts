// Port to AWS Secrets Manager: each certificate is one AWS secret. Each comment is part of the contract.
import type { PendingOrder, SpecSource, StoredCertificate, StoredSpec } from '../certificate/stored.ts';
import type { CertificateState, StateChange } from '../state/state.ts';
import { CertrelayError } from './errors.ts';

/** Why a call to Secrets Manager failed. `TooLarge`: the value has over 64 KB. `Denied`: the IAM role lacks a
 *  right. `Throttled`: too many requests in the account. `Failed`: anything else. */
export type StoreErrorCode = 'TooLarge' | 'Denied' | 'Throttled' | 'Failed';

/** A failed call to AWS Secrets Manager. */
export class StoreError extends CertrelayError<StoreErrorCode> {}

/** One certificate's AWS secret as a list shows it: version labels and tags, never a value. */
export interface StoreEntry {
  /** Name of the certificate: the AWS secret's name without the prefix. */
  readonly name: string;
  /** ARN of the AWS secret. Absent if AWS does not say. */
  readonly arn?: string | undefined;
  /** Id of the version with the label AWSCURRENT. */
  readonly current?: string | undefined;
  /** Id of the version with the label AWSPREVIOUS. */
  readonly previous?: string | undefined;
  /** Id of the version with the label AWSPENDING. */
  readonly pending?: string | undefined;
  /** When the AWS secret was created. Only if its specification is not from the inventory file: of two
   *  sources that ask for one DNS name, the earlier wins. */
  readonly createdAt?: Date | undefined;
  /** The state in the tags. It describes the current value only if `state.version` equals `current`. */
  readonly state: CertificateState;
}

/** The value of one version of a certificate's AWS secret. */
export type StoredValue =
  | { readonly kind: 'certificate'; readonly certificate: StoredCertificate }
  /** No certificate yet. `spec` is absent if the specification is in the inventory file. */
  | { readonly kind: 'specification'; readonly spec?: StoredSpec | undefined }
  /** The order of a run that has claimed the certificate. */
  | { readonly kind: 'pending'; readonly order: PendingOrder }
  /** A value in another format. `problem` says what is wrong and does not quote the value. */
  | { readonly kind: 'unparsable'; readonly problem: string };

/** One version of a certificate's AWS secret; `version` is its id. `createdAt`: when AWS stored it; absent if
 *  AWS does not say. */
export interface StoredVersion {
  readonly version: string;
  readonly createdAt?: Date | undefined;
  readonly value: StoredValue;
}

/** What became of a new AWS secret. `exists`, `deleted`: its name is not free. */
export type Creation = 'created' | 'exists' | 'deleted';

/** Certificates in AWS Secrets Manager, one AWS secret each. Every method rejects with a StoreError, or with
 *  the signal's reason. Every method may be called twice. */
export interface CertificateStore {
  /** All entries under the prefix; one call for each 100. May be minutes behind the latest writes. `sources`:
   *  only entries whose specification is from one of these. */
  list(signal: AbortSignal, sources?: readonly SpecSource[]): Promise<readonly StoreEntry[]>;
  /** One entry, up to date; `undefined` if there is no AWS secret. */
  describe(name: string, signal: AbortSignal): Promise<StoreEntry | undefined>;
  /** The version with a label or an id; `undefined` if there is none. */
  read(
    name: string,
    which: 'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING' | { readonly version: string },
    signal: AbortSignal,
  ): Promise<StoredVersion | undefined>;
  /** Creates the AWS secret, with a first version that contains `spec` and no certificate, and with the tags
   *  of `stateOfSpec`. Changes nothing if there is an AWS secret with the name (`exists`), or one that is
   *  scheduled for deletion (`deleted`). */
  create(name: string, spec: StoredSpec | undefined, signal: AbortSignal): Promise<Creation>;
  /** Claims the certificate: stores `order` as a new version, and moves AWSPENDING to it if the label is
   *  still at `over` (`undefined`: at no version). Returns the new version, or `claimedByOther` if another
   *  run was faster. */
  claim(
    name: string,
    order: PendingOrder,
    over: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly version: string } | 'claimedByOther'>;
  /** Stores a certificate as AWSCURRENT with the version id `version` (`versionOfOrder`). The same call again
   *  changes nothing. */
  put(name: string, certificate: StoredCertificate, version: string, signal: AbortSignal): Promise<void>;
  /** Releases a claim: removes AWSPENDING from `version`. Does nothing if `version` no longer has the
   *  label. */
  release(name: string, version: string, signal: AbortSignal): Promise<void>;
  /** Writes the given fields of the state to tags. `null` clears a field; an absent field stays. Creates no
   *  version. */
  record(name: string, state: StateChange, signal: AbortSignal): Promise<void>;
}

/** The current text of the AWS secret with this full name or ARN. The prefix is not added.
 *  @throws StoreError, e.g. `Failed` if there is no such AWS secret. */
export type ReadText = (secret: string, signal: AbortSignal) => Promise<string>;
