// The socket between stories and AWS Secrets Manager: certificates, one AWS secret each. Each comment is part
// of the contract.
import type { PendingOrder, SpecSource, StoredCertificate, StoredSpec } from '../certificate/stored.ts';
import type { CertificateState, StateChange } from '../state/state.ts';
import { CertrelayError } from './errors.ts';

/** `TooLarge`: over 64 KB. `Denied`: access denied. `Throttled`, `Failed`: by AWS. */
export type StoreErrorCode = 'TooLarge' | 'Denied' | 'Throttled' | 'Failed';

/** What AWS Secrets Manager did not do; the code says why. */
export class StoreError extends CertrelayError<StoreErrorCode> {}

/** One certificate's AWS secret as listing shows it: labels and tags, never a value. */
export interface StoreEntry {
  /** The certificate's name (the AWS secret's name without prefix). */
  readonly name: string;
  /** Version ids that hold AWSCURRENT, AWSPREVIOUS and AWSPENDING. */
  readonly current?: string | undefined;
  readonly previous?: string | undefined;
  readonly pending?: string | undefined;
  /** When it was made; told by a list, of one whose specification is not the file's: so the first of two is
   *  known. */
  readonly createdAt?: Date | undefined;
  /** What the tags say. An index: true only while `state.version` equals `current`. */
  readonly state: CertificateState;
}

/** One version's value. */
export type StoredValue =
  | { readonly kind: 'certificate'; readonly certificate: StoredCertificate }
  | { readonly kind: 'specification'; readonly spec?: StoredSpec | undefined }
  | { readonly kind: 'pending'; readonly order: PendingOrder }
  /** Somebody wrote a value that is not ours to read; `problem` says why, without quoting it. */
  | { readonly kind: 'unparsable'; readonly problem: string };

export interface StoredVersion {
  readonly version: string;
  readonly value: StoredValue;
}

/** Certificates in AWS Secrets Manager, one AWS secret each. Every method may be called twice. */
export interface CertificateStore {
  /** Every entry under the prefix, 100 a page; may lag behind writes by minutes. `sources`: those from there
   *  alone. */
  list(signal: AbortSignal, sources?: readonly SpecSource[]): Promise<readonly StoreEntry[]>;
  /** One entry, never lagging; `undefined` where there is no AWS secret. */
  describe(name: string, signal: AbortSignal): Promise<StoreEntry | undefined>;
  /** The value under a stage or a version id; `undefined` where nothing holds it. */
  read(
    name: string,
    which: 'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING' | { readonly version: string },
    signal: AbortSignal,
  ): Promise<StoredVersion | undefined>;
  /** Makes the AWS secret with a first version that holds `spec` and no certificate, and with its
   *  `stateOfSpec` as state. `exists` where it is there already. */
  create(name: string, spec: StoredSpec | undefined, signal: AbortSignal): Promise<'created' | 'exists'>;
  /** Puts `order` as a version and moves AWSPENDING to it: a compare-and-swap against `over`, the version
   *  that holds the label now (`undefined`: none). Gives the new version, or `held` where another run was
   *  faster. */
  claim(
    name: string,
    order: PendingOrder,
    over: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly version: string } | 'claimedByOther'>;
  /** Stores a certificate as AWSCURRENT under the version id `version` (`versionOfOrder`): the same again is
   *  a no-op. */
  put(name: string, certificate: StoredCertificate, version: string, signal: AbortSignal): Promise<void>;
  /** Takes AWSPENDING off `version`; nothing happens where it no longer holds the label. */
  release(name: string, version: string, signal: AbortSignal): Promise<void>;
  /** Writes the given fields of the state to tags; `null` clears one, absent ones stay. Makes no version. */
  record(name: string, state: StateChange, signal: AbortSignal): Promise<void>;
}

/** Text of the AWS secret with that name or ARN (not below the prefix), as it is now.
 *  @throws StoreError `Failed` where there is none. */
export type ReadText = (secret: string, signal: AbortSignal) => Promise<string>;
