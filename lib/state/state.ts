// The state of a certificate between invocations, apart from the certificate itself.
import type { KeyType, SecretTarget } from '../certificate/spec.ts';
import type { SpecSource } from '../certificate/stored.ts';
import type { AgentReport, DeliveryRecord, Freeze, Resumption, ServedRecord } from './delivery.ts';
import type { OwedEvent } from './events.ts';
import type { Acknowledgement, HealthNote, Trouble } from './health.ts';
import type { OrderLog, OrderOwner, TxtJournal, ValidAuthorizations } from './orders.ts';
import type { GoneRecord, RetireDecision } from './retirement.ts';

/** State on the tags of the AWS secret. Every field may be absent: tags are an index, the stored value is the
 *  truth. */
export interface CertificateState {
  /** The version that the fields below describe. */
  readonly version?: string;
  /** Hash of the exact set of names (`namesKey`) of that version; before the first version, of the
   *  specification. */
  readonly names?: string;
  /** Directory URL of the CA that issued it. */
  readonly issuer?: string;
  readonly profile?: string;
  readonly key?: KeyType;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** The certificate's id in renewalInfo URLs (RFC 9773 §4.1); absent if it has none. */
  readonly certificateId?: string;
  /** Window in which the CA suggests to renew (RFC 9773 §4.2). */
  readonly windowStart?: Date;
  readonly windowEnd?: Date;
  /** The `certificateId` that the window is about. The tags may already describe another certificate. */
  readonly windowOf?: string;
  /** The CA's page that explains the window (RFC 9773 §4.2). */
  readonly explanationUrl?: string;
  readonly askAfter?: Date | undefined;
  /** Source of the specification; absent: the inventory file. */
  readonly source?: SpecSource;
  /** Namespace in which the specification was discovered. Absent for other sources, and in state of earlier
   *  versions. */
  readonly place?: Pick<SecretTarget, 'cluster' | 'namespace'>;
  /** Names of the specification; absent if they do not fit into tags. */
  readonly domains?: readonly string[];
  /** Hash of the specification's targets (`targetsKey`). */
  readonly targets?: string;
  /** URL of the current order; cleared when it is over. */
  readonly order?: string;
  /** Directory and profile of that order. */
  readonly orderFor?: OrderOwner;
  /** TXT values that orders may have left in DNS; cleared when they are removed. */
  readonly txt?: TxtJournal;
  /** Recent orders, for the CA's rate limits. */
  readonly orders?: OrderLog;
  /** What the CA said last of its authorizations for the names. */
  readonly authorizations?: ValidAuthorizations | undefined;
  /** Failed attempts since the last success. */
  readonly failures?: number;
  /** Code of the last failure. */
  readonly error?: string;
  /** No attempt before this instant. */
  readonly nextAttempt?: Date | undefined;
  /** What stops the orders of the certificate; cleared by a success, and when nothing stops them any more. */
  readonly problem?: Trouble;
  /** Since when a person has paused ordering, with that person's reason. */
  readonly pausedSince?: Date;
  readonly pauseReason?: string;
  /** Revoked versions, newest first. */
  readonly revoked?: readonly string[];
  /** Version to revoke as soon as another one has replaced it. */
  readonly revoking?: string;
  /** How far the version is at each target, and when failed targets are tried again. */
  readonly deployed?: DeliveryRecord;
  /** The first targets that have a version, as `nameDestination` writes them: where it was last delivered. */
  readonly deliveredTo?: readonly string[];
  /** What stops deliveries; cleared when nothing does. */
  readonly deliveryProblem?: Trouble;
  /** The version that is frozen: not delivered any further. */
  readonly freeze?: Freeze;
  /** The version that a person last resumed. */
  readonly resumed?: Resumption;
  /** ARNs in ACM under which the certificate was imported, one for each region, sorted. */
  readonly acm?: readonly string[];
  /** Result of the last probe. */
  readonly served?: ServedRecord;
  /** Since when another certificate is served, although this version was delivered. */
  readonly notServedSince?: Date | undefined;
  /** Time of the last probe; written at least every few hours. */
  readonly probedAt?: Date | undefined;
  /** When tags last disagreed with the value and were written anew. */
  readonly tagsDisagree?: Date;
  /** Until when the certificate is still renewed and delivered although the inventory no longer allows its
   *  specification. */
  readonly graceUntil?: Date;
  /** Events that the bus did not take; `issue` puts them again. */
  readonly owedEvents?: readonly OwedEvent[];
  /** What `status` noted of the certificate; absent while it is `Healthy`. */
  readonly health?: HealthNote;
  /** A trouble that a person knows of. */
  readonly acknowledged?: Acknowledgement;
  /** When a sender took a registration back: the time that its request names. */
  readonly unregister?: Date;
  /** A person's last decision to retire or to restore the certificate. */
  readonly retire?: RetireDecision;
  /** Set by `discover` while no object asks for a certificate that one asked for. */
  readonly gone?: GoneRecord;
  /** Signed delivery statement for each cluster with an agent (`statement.ts`). */
  readonly signatures?: ByCluster<string>;
  /** Last report of each agent, by cluster. */
  readonly reports?: ByCluster<AgentReport>;
}

/** One value for each cluster. In a change, clusters that are not named keep their value; an empty text
 *  clears it. */
export type ByCluster<T> = Readonly<Record<string, T>>;

/** Fields to write. `null` clears a field; absent fields stay. */
export type StateChange = { readonly [K in keyof CertificateState]?: CertificateState[K] | null | undefined };
