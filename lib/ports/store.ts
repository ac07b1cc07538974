// The sockets between stories and adapters: each interface is a contract, each comment part of it.
import type { PendingOrder, SpecSource, StoredCertificate, StoredSpec } from '../certificate/stored.ts';
import type { ServedWord } from '../policy/serving/served.ts';
import type { CertificateState } from '../state/state.ts';

/** Time and randomness, so that stories never read either themselves. */
export interface Clock {
  now(): Date;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

// --- Secrets Manager -------------------------------------------------------------------------------

/** One certificate's AWS secret as listing shows it: labels and tags, never a value. */
export interface StoreEntry {
  /** The certificate's name (the AWS secret's name without prefix). */
  readonly name: string;
  /** Version ids that hold AWSCURRENT, AWSPREVIOUS and AWSPENDING. */
  readonly current?: string;
  readonly previous?: string;
  readonly pending?: string;
  /** When it was made; told by a list, of one whose specification is not the file's: so the first of two is known. */
  readonly createdAt?: Date | undefined;
  /** What the tags say. An index: true only while `state.version` equals `current`. */
  readonly state: CertificateState;
}

/** One version's value. */
export type StoredValue =
  | { readonly kind: 'certificate'; readonly certificate: StoredCertificate }
  | { readonly kind: 'specification'; readonly spec?: StoredSpec }
  | { readonly kind: 'pending'; readonly order: PendingOrder }
  /** Somebody wrote a value that is not ours to read; `problem` says why, without quoting it. */
  | { readonly kind: 'unparsable'; readonly problem: string };

export interface StoredVersion {
  readonly version: string;
  readonly value: StoredValue;
}

/** Certificates in AWS Secrets Manager, one AWS secret each. Every method may be called twice. */
export interface CertificateStore {
  /** Every entry under the prefix, 100 a page; may lag behind writes by minutes. `sources`: those from there alone. */
  list(signal: AbortSignal, sources?: readonly SpecSource[]): Promise<readonly StoreEntry[]>;
  /** One entry, never lagging; `undefined` where there is no AWS secret. */
  describe(name: string, signal: AbortSignal): Promise<StoreEntry | undefined>;
  /** The value under a stage or a version id; `undefined` where nothing holds it. */
  read(
    name: string,
    which: 'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING' | { readonly version: string },
    signal: AbortSignal,
  ): Promise<StoredVersion | undefined>;
  /** Makes the AWS secret with a first version that holds `spec` and no certificate, and with its `stateOfSpec` as state.
   *  `exists` where it is there already. */
  create(name: string, spec: StoredSpec | undefined, signal: AbortSignal): Promise<'created' | 'exists'>;
  /** Puts `order` as a version and moves AWSPENDING to it: a compare-and-swap against `over`, the version that
   *  holds the label now (`undefined`: none). Gives the new version, or `held` where another run was faster. */
  claim(
    name: string,
    order: PendingOrder,
    over: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly version: string } | 'held'>;
  /** Stores a certificate as AWSCURRENT under the version id `version` (`versionOfOrder`): the same again is a no-op. */
  put(name: string, certificate: StoredCertificate, version: string, signal: AbortSignal): Promise<void>;
  /** Takes AWSPENDING off `version`; nothing happens where it no longer holds the label. */
  release(name: string, version: string, signal: AbortSignal): Promise<void>;
  /** Writes the given fields of the state to tags; `null` clears one, absent ones stay. Makes no version. */
  record(
    name: string,
    state: { readonly [K in keyof CertificateState]?: CertificateState[K] | null },
    signal: AbortSignal,
  ): Promise<void>;
}

/** Text of the AWS secret with that name or ARN (not below the prefix), as it is now.
 *  @throws StoreError `Failed` where there is none. */
export type ReadText = (secret: string, signal: AbortSignal) => Promise<string>;

/** One ACME account: private key (PKCS#8 PEM) and, once the CA knows it, its URL. */
export interface Account {
  readonly key: string;
  readonly url?: string;
  /** Contact the CA was last told. */
  readonly contact: readonly string[];
  /** PKCS#8 PEM of the key that is to take the place of `key`: the CA may or may not know it yet (RFC 8555 §7.3.5). */
  readonly nextKey?: string;
}

/** ACME accounts in AWS Secrets Manager, one per directory URL. */
export interface AccountStore {
  read(directory: string, signal: AbortSignal): Promise<Account | undefined>;
  /** Keeps a new account; where one is there already, gives that one instead. */
  create(directory: string, account: Account, signal: AbortSignal): Promise<Account>;
  update(directory: string, account: Account, signal: AbortSignal): Promise<void>;
  /** Name of the AWS secret that holds the account, for a person who must act on it. */
  secretOf(directory: string): string;
}

/** What is known of the installation itself, and belongs to no certificate. */
export interface InstallationRecord {
  /** When a version that keeps this record first ran here. */
  readonly firstRun: Date;
  /** Whether certificates were stored before that, by an earlier version. */
  readonly isUpgraded: boolean;
  /** `open`: no full pass of `issue` has ended since `firstRun`. Then the end of the last one; absent where nobody can tell. */
  readonly lastPass?: Date | 'open' | undefined;
  /** Until when values have been held against their tags. */
  readonly comparedUntil?: Date | undefined;
}

/** The AWS secret `<prefix>/installation`. Every method may be called twice. */
export interface InstallationStore {
  /** `undefined` where there is none yet. */
  read(signal: AbortSignal): Promise<InstallationRecord | undefined>;
  /** Makes it, with `lastPass` open; where it is there already nothing changes. */
  create(record: Pick<InstallationRecord, 'firstRun' | 'isUpgraded'>, signal: AbortSignal): Promise<void>;
  /** Notes the end of a full pass of `issue`, and until when that pass held values against tags. */
  recordPass(
    pass: { readonly endedAt: Date; readonly comparedUntil: Date },
    signal: AbortSignal,
  ): Promise<void>;
}

// --- Messages --------------------------------------------------------------------------------------

/** Tells the issue function that certificates wait for it. */
export interface IssueQueue {
  /** `id` makes a repeat of the same request recognisable in the log. `delaySeconds`: at most 900. `fruitless`: passes in
   *  a row that finished nothing of what they were sent for. `compare`: their values are to be held against their tags. */
  send(
    certificates: readonly string[],
    id: string,
    options: { readonly delaySeconds?: number; readonly fruitless?: number; readonly compare?: boolean },
    signal: AbortSignal,
  ): Promise<void>;
}

/** Tells the deploy function to look at all targets of a cluster. `id` makes the pass that sent it recognisable in the
 *  log. */
export interface DeployQueue {
  send(cluster: string, id: string, signal: AbortSignal): Promise<void>;
}

/** A certificate that is at all its targets now. `targets`: as reports name them. `served`: what was seen right then. */
export interface DeliveredCertificate {
  readonly certificate: string;
  readonly version: string;
  /** Of the leaf: SHA-256 of its DER, hex, and its end. */
  readonly fingerprint: string;
  readonly notAfter: Date;
  readonly targets: readonly string[];
  readonly served?: ServedWord | undefined;
}

/** Tells whoever wants to run something then. May be called twice: there are two events then.
 *  @throws CertrelayError `EventFailed`, or the signal's reason. */
export type Announce = (delivered: DeliveredCertificate, signal: AbortSignal) => Promise<void>;

// --- Registration ----------------------------------------------------------------------------------

/** What became of somebody's request to keep a certificate. */
export type Registration =
  /** New: stored, and the issue function has been told. */
  | { readonly kind: 'accepted'; readonly name: string; readonly domains: readonly string[] }
  /** The same was asked before; nothing was changed. */
  | {
      readonly kind: 'known';
      readonly name: string;
      readonly domains: readonly string[];
      readonly issued: boolean;
    }
  /** The name, or one of the domains, is somebody else's. `message` is for the sender and does not say whose; `owner`, for the
   *  operator, does. */
  | { readonly kind: 'taken'; readonly name: string; readonly message: string; readonly owner?: string }
  /** Every mistake with its place in the request. */
  | {
      readonly kind: 'refused';
      readonly problems: readonly { readonly path: string; readonly message: string }[];
    }
  /** The inventory lets nobody register. */
  | { readonly kind: 'closed' };

/** Registers a specification that has been checked; `id` as for `Register`. The same name with other domains is `taken`. May be
 *  called twice: the second answer is `known`. */
export type RegisterSpec = (
  spec: StoredSpec,
  id: string,
  signal: AbortSignal,
) => Promise<Extract<Registration, { readonly kind: 'accepted' | 'known' | 'taken' }>>;

/** Registers what an authenticated request asks for. `body` is parsed JSON and not checked; `id` names the request in
 *  logs. May be called twice: the second answer is `known`. */
export type Register = (body: unknown, id: string, signal: AbortSignal) => Promise<Registration>;
