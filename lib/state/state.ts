// What is remembered of a certificate between runs, beside the certificate itself.
import type { KeyType, SecretTarget } from '../certificate/spec.ts';
import type { SpecSource } from '../certificate/stored.ts';
import type { AgentReport, DeliveryRecord, Freeze, Resumption, ServedRecord } from './delivery.ts';
import type { OrderLog, OrderOwner, TxtJournal } from './orders.ts';

/** Kept on tags of the AWS secret. Every field may be absent: tags are an index, the certificate is the truth. */
export interface CertificateState {
  /** The version these facts describe. */
  readonly version?: string;
  /** Hash of the exact set of names in that version (`namesKey`); without one, in the specification. */
  readonly names?: string;
  /** Directory URL that issued it. */
  readonly issuer?: string;
  readonly profile?: string;
  readonly key?: KeyType;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Id under which the CA knows it (RFC 9773 §4.1); absent where the certificate has none. */
  readonly certificateId?: string;
  /** Window in which the CA suggests to renew it (RFC 9773 §4.2), and the instant before which it is not asked again. */
  readonly windowStart?: Date;
  readonly windowEnd?: Date;
  /** The `certificateId` that the window is about: it may reach the tags after another certificate did. */
  readonly windowOf?: string;
  /** The CA's page that says why the window is where it is (§4.2). */
  readonly explanationUrl?: string;
  readonly askAfter?: Date | undefined;
  /** Where the specification comes from; absent: the inventory file. */
  readonly source?: SpecSource;
  /** Of a discovered one: where it was found; absent from what earlier versions stored. */
  readonly place?: Pick<SecretTarget, 'cluster' | 'namespace'>;
  /** What that specification is for; absent where they are too many to be kept. */
  readonly domains?: readonly string[];
  /** Hash of the set of targets in that specification (`targetsKey`). */
  readonly targets?: string;
  /** Order in flight or last made. Cleared when it is over. */
  readonly order?: string;
  /** Whose order that is. */
  readonly orderFor?: OrderOwner;
  /** TXT values that its orders may have in DNS. Cleared when they are gone. */
  readonly txt?: TxtJournal;
  /** Recent orders. */
  readonly orders?: OrderLog;
  /** Failed attempts since the last success. */
  readonly failures?: number;
  /** Code of the last failure. */
  readonly error?: string;
  /** No attempt before this instant. */
  readonly nextAttempt?: Date | undefined;
  /** Since when a person wants no order, and that person's words. */
  readonly pausedSince?: Date;
  readonly pauseReason?: string;
  /** Versions that were revoked, newest first. */
  readonly revoked?: readonly string[];
  /** Version that is to be revoked as soon as another one has replaced it. */
  readonly revoking?: string;
  /** Which targets the version has reached, and when those are tried again that failed. */
  readonly deployed?: DeliveryRecord;
  /** The version that is not to be delivered any further. */
  readonly freeze?: Freeze;
  /** The version that a person last resumed. */
  readonly resumed?: Resumption;
  /** ARNs in ACM under which it was imported, one for each region, sorted. */
  readonly acm?: readonly string[];
  /** What was last seen to be served. */
  readonly served?: ServedRecord;
  /** Since when something else is served than that version, although it has been delivered. */
  readonly notServedSince?: Date | undefined;
  /** When that was last looked at; written at least every few hours. */
  readonly probedAt?: Date | undefined;
  /** When tags were last found to say otherwise than the value, and were written anew. */
  readonly tagsDisagree?: Date;
  /** Until when it is renewed and delivered although today's inventory would not accept its specification (`grace.ts`). */
  readonly graceUntil?: Date;
  /** By cluster that only an agent reaches: the signed statement of what is meant for it (`statement.ts`). */
  readonly signatures?: ByCluster<string>;
  /** By such a cluster: what its agent last reported. */
  readonly reports?: ByCluster<AgentReport>;
}

/** One value a cluster. Where state is recorded, those of clusters that are not named stay; an empty text clears one. */
export type ByCluster<T> = Readonly<Record<string, T>>;

/** Fields to write; `null` clears one, absent ones stay. */
export type StateChange = { readonly [K in keyof CertificateState]?: CertificateState[K] | null | undefined };
