// The types of one deploy invocation: its ports, its request, the job for each target, and its report.

import {
  type AcmTarget,
  type Inventory,
  isSecretTarget,
  type SecretTarget,
  type TargetSpec,
} from '../certificate/spec.ts';
import type { CertificateFacts } from '../certificate/x509.ts';
import type { HeldVersion } from '../policy/delivery/holdings.ts';
import type { Delivery, SecretPlan } from '../policy/delivery/secret-plan.ts';
import type { CertificateProbeSpec } from '../policy/serving/served-targets.ts';
import type { ConnectCertificateManager } from '../ports/acm.ts';
import type { AgentError } from '../ports/agents.ts';
import type { Clock } from '../ports/clock.ts';
import type { ConnectCluster, JudgeRollback } from '../ports/cluster.ts';
import type { PutEvents } from '../ports/events.ts';
import type { InstallationStore } from '../ports/installation.ts';
import type { Log } from '../ports/log.ts';
import type { OperationStore } from '../ports/operations.ts';
import type { ProbeServed } from '../ports/probe.ts';
import type { CertificateStore, ReadText } from '../ports/store.ts';
import type { DeployRequest } from '../requests/requests.ts';
import type { DeliveryPhase, Freeze, ServedWord } from '../state/delivery.ts';

/** The ports that deploying needs. */
export interface DeployPorts {
  readonly store: Pick<CertificateStore, 'list' | 'describe' | 'read' | 'record'>;
  readonly connect: ConnectCluster;
  readonly connectAcm: ConnectCertificateManager;
  /** Reads keystore passwords. */
  readonly readText: ReadText;
  /** Probes what is served: between the waves of a rollout, and after the last target. */
  readonly probeServed: ProbeServed;
  /** Reads the record that limits how long certificates are kept that the inventory no longer allows. Absent:
   *  the date on each certificate's tags counts. */
  readonly installation?: Pick<InstallationStore, 'read'> | undefined;
  /** Takes notes of clusters. Absent: none are taken. */
  readonly operations?: Pick<OperationStore, 'read' | 'recordCluster'> | undefined;
  /** Judges whether a target may go back to the previous version. Absent: any usable AWSPREVIOUS may be put
   *  back. */
  readonly judgeRollback?: JudgeRollback | undefined;
  /** Sends the event for a completed delivery. Absent: no event is sent. */
  readonly putEvents?: PutEvents | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** One invocation: the parsed request, the inventory and the time limits. It has no version: deploy always
 *  delivers AWSCURRENT, so late and repeated events do no harm. */
export interface DeployInvocation extends DeployRequest {
  readonly inventory: Inventory;
  /** Clusters that have an invocation of their own. This invocation leaves them out. */
  readonly delegatedClusters?: readonly string[] | undefined;
  /** Aborts the work some time before the deadline. */
  readonly signal: AbortSignal;
  /** Aborts shortly before the deadline. Tags are written with it, so that results are recorded after
   *  `signal` has aborted. */
  readonly cleanUpSignal: AbortSignal;
}

/** One certificate to deliver to one target: a Kubernetes Secret, unless
 *  the type parameter says otherwise. */
export interface Job<Target extends TargetSpec = SecretTarget> {
  readonly delivery: Delivery;
  readonly target: Target;
  /** How far the target is with this version. */
  readonly phase: DeliveryPhase;
  /** Names that were asked for; `notBefore` and key type of the leaf certificate. */
  readonly facts: Pick<CertificateFacts, 'names' | 'notBefore' | 'keyType'>;
  /** Where to probe what is served. `false`: nowhere. */
  readonly probe: CertificateProbeSpec | false;
  /** Set if the version is frozen: it must not reach further targets. */
  readonly freeze?: Freeze | undefined;
  /** When the version becomes valid. Absent: it is valid now. */
  readonly begins?: Date | undefined;
}

/** One target in AWS Certificate Manager. */
export interface AcmJob extends Job<AcmTarget> {
  /** The ARN under which the certificate was imported, from its tags. */
  readonly arn?: string | undefined;
}

/** A job for any kind of target. */
export type AnyJob = Job | AcmJob;

/** Whether the job's target is a Kubernetes Secret. */
export function isForCluster(job: AnyJob): job is Job {
  return isSecretTarget(job.target);
}

/** Whether the job's target is in AWS Certificate Manager. */
export function isForAcm(job: AnyJob): job is AcmJob {
  return !isForCluster(job);
}

/** How one target ended. `delivered`: changed and complete. `unchanged`: already up to date. `pending`: not
 *  complete; the next invocation continues. `waiting`: waits for its maintenance window. `held`: the version
 *  is frozen. `refused`: a person must change the target or the cluster. `planned`: dry run. */
export type TargetOutcome =
  | 'delivered'
  | 'unchanged'
  | 'pending'
  | 'waiting'
  | 'held'
  | 'refused'
  | 'planned';

/** One target's entry in the report. Contains no secrets. */
export interface TargetReport {
  readonly certificate: string;
  /** `cluster/namespace/secret`, or `acm/region/certificate`. */
  readonly target: string;
  readonly outcome: TargetOutcome;
  /** The change that the Secret needed. Absent if the Secret could not be read. */
  readonly action?: SecretPlan['action'] | undefined;
  /** Workloads that were restarted, or would be in a dry run: `Deployment web`. */
  readonly restarted: readonly string[];
  readonly message: string;
}

/** Why a certificate is left out, if that is not for want of targets. `NotIssued`: there is no version to
 *  deliver. `Unused`: nobody asks for it. */
export type SkipReason = 'NotIssued' | 'Unused';

/** One certificate's entry in the report. `skip`: it has no certificate yet, or no targets. */
export interface CertificateReport {
  readonly name: string;
  readonly version?: string;
  readonly decision: TargetOutcome | 'skip';
  readonly reason?: SkipReason;
  readonly message: string;
  readonly targets: readonly TargetReport[];
  /** What the probe found right after the last target got the version. */
  readonly served?: ServedWord;
  /** Until when it is delivered although today's inventory does not allow it. */
  readonly graceUntil?: Date;
  /** Why today's inventory does not allow it. */
  readonly misfits?: readonly string[];
}

/** The report entry of a Secret whose target was removed. `kept`: something still uses it, it is a copy, or
 *  its annotation keeps it. `pending`: it could not be checked or deleted. `target` is
 *  `cluster/namespace/secret`; it is `cluster` or `cluster/namespace` if the Secrets there could not be
 *  listed. */
export interface PruneReport {
  readonly certificate?: string | undefined;
  readonly target: string;
  readonly outcome: 'deleted' | 'planned' | 'kept' | 'pending';
  readonly message: string;
}

/** The report of one invocation. `failures` maps each certificate, target or cluster that failed to its
 *  errors: the function throws them after the report is written, and
 *  answers an SQS batch message by message. */
export interface DeployReport {
  /** Worst outcome first. */
  readonly certificates: readonly CertificateReport[];
  /** How many entries of `certificates` and `pruned` did not fit into the answer. Absent: all fit. */
  readonly omitted?: number | undefined;
  readonly pruned: readonly PruneReport[];
  readonly failures: ReadonlyMap<string, readonly Error[]>;
}

/** The result of one job: the report entry, the phase reached and the errors. */
export interface JobResult {
  readonly report: TargetReport;
  readonly phase: DeliveryPhase;
  readonly failures: readonly Error[];
  /** The ARN to record on the certificate's tags. */
  readonly arn?: string | undefined;
  /** The target was left alone: nobody asked its cluster. */
  readonly isUntried?: true;
  /** Pods keep the previous certificate until a person acts. */
  readonly asksPerson?: true;
  /** The previous version, which the target has again. */
  readonly returnedTo?: HeldVersion;
}

/** The certificate in AWSPREVIOUS, verified, or one line that says why it must not be put back. Also refused
 *  if the job's version is no longer AWSCURRENT. `isOver`: it expires too
 *  soon. `error`: add it to the job's failures. */
export type LastGood =
  | { readonly delivery: Delivery }
  | { readonly refusal: string; readonly isOver?: boolean; readonly error?: AgentError };

/** Loads the version before that of a job.
 *  @throws StoreError if the store cannot be read. */
export type LoadLastGood = (job: AnyJob) => Promise<LastGood>;
