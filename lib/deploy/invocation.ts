// What one run of deploying works with: its ports, what it is asked, and the answers it gives.

import {
  type AcmTarget,
  type Inventory,
  isSecretTarget,
  type SecretTarget,
  type TargetSpec,
} from '../certificate/spec.ts';
import type { CertificateFacts } from '../certificate/x509.ts';
import type { Delivery, SecretPlan } from '../policy/delivery/secret.ts';
import type { CertificateProbeSpec } from '../policy/serving/served-targets.ts';
import type { ConnectCertificateManager } from '../ports/acm.ts';
import type { AgentError } from '../ports/agents.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cluster, ConnectCluster, JudgeReturn } from '../ports/cluster.ts';
import type { Announce } from '../ports/events.ts';
import type { InstallationStore } from '../ports/installation.ts';
import type { Log } from '../ports/log.ts';
import type { ProbeServed } from '../ports/probe.ts';
import type { CertificateStore, ReadText } from '../ports/store.ts';
import type { DeployRequest } from '../requests/requests.ts';
import type { DeliveryPhase, Freeze, ServedWord } from '../state/delivery.ts';
import type { WorkloadLists } from './cluster/workload-lists.ts';

/** What a run stands on. */
export interface DeployPorts {
  readonly store: Pick<CertificateStore, 'list' | 'describe' | 'read' | 'record'>;
  readonly connect: ConnectCluster;
  readonly connectAcm: ConnectCertificateManager;
  /** For the passwords of keystores. */
  readonly readText: ReadText;
  /** For targets that want it after each step of a rollout. */
  readonly probeServed: ProbeServed;
  /** Says whether what does not fit has been noted yet; absent: it has. */
  readonly installation?: Pick<InstallationStore, 'read'> | undefined;
  /** Absent: whatever is AWSPREVIOUS and can be used may take its place again. */
  readonly judgeReturn?: JudgeReturn | undefined;
  /** Absent: nobody is told. */
  readonly announce?: Announce | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** One invocation: what is asked (`lib/requests/requests.ts`), and its time. The version that an event names is not among it:
 *  what is AWSCURRENT is what is delivered, so late and repeated events do no harm. */
export interface DeployInvocation extends DeployRequest {
  readonly inventory: Inventory;
  /** Clusters that passes of their own look after: this one is about everything else. */
  readonly delegatedClusters?: readonly string[] | undefined;
  /** Ends the work some time before the deadline. */
  readonly signal: AbortSignal;
  /** Ends shortly before the deadline: what has been done is recorded even when `signal` is aborted. */
  readonly cleanUpSignal: AbortSignal;
}

/** One target to deliver a certificate to, in a cluster where nothing else is said. */
export interface Job<Target extends TargetSpec = SecretTarget> {
  readonly delivery: Delivery;
  readonly target: Target;
  /** What is known to be behind the target for this version. */
  readonly step: DeliveryPhase;
  /** Of the certificate's leaf. */
  readonly facts: Pick<CertificateFacts, 'names' | 'notBefore'>;
  /** Where to look at what is served; `false`: nowhere. */
  readonly probe: CertificateProbeSpec | false;
  /** The version must not be delivered any further. */
  readonly freeze?: Freeze | undefined;
  /** When the version becomes valid; absent: it is. */
  readonly begins?: Date | undefined;
}

/** One target in AWS Certificate Manager. */
export interface AcmJob extends Job<AcmTarget> {
  /** The ARN under which the certificate is remembered to have been imported. */
  readonly arn?: string | undefined;
}

export type AnyJob = Job | AcmJob;

/** Whether the job's target is in a cluster. */
export function isForCluster(job: AnyJob): job is Job {
  return isSecretTarget(job.target);
}

/** Whether it is in ACM. */
export function isForAcm(job: AnyJob): job is AcmJob {
  return !isForCluster(job);
}

/** `delivered`: something was changed, and it is done. `unchanged`: there was nothing to do. `pending`: not done yet, the
 *  next run goes on. `waiting`: for its maintenance window. `held`: this version is not delivered any further.
 *  `refused`: a person must change the target or the cluster. `planned`: dry run. */
export type TargetOutcome =
  | 'delivered'
  | 'unchanged'
  | 'pending'
  | 'waiting'
  | 'held'
  | 'refused'
  | 'planned';

/** What became of one target. Holds no secrets. */
export interface TargetReport {
  readonly certificate: string;
  /** `cluster/namespace/secret`, or `acm/region/certificate`. */
  readonly target: string;
  readonly outcome: TargetOutcome;
  /** What the Secret needed; absent where it could not be looked at. */
  readonly action?: SecretPlan['action'] | undefined;
  /** Workloads that a rollout was started for, or would be: `Deployment web`. */
  readonly restarted: readonly string[];
  readonly message: string;
}

/** One certificate's entry in the answer. `skip`: there is nothing to deliver, or nowhere. */
export interface CertificateReport {
  readonly name: string;
  readonly version?: string;
  readonly decision: TargetOutcome | 'skip';
  readonly message: string;
  readonly targets: readonly TargetReport[];
  /** What was seen to be served, right after the last of its targets had it. */
  readonly served?: ServedWord;
  /** Until when it is delivered although the inventory would not accept it now, and what does not fit. */
  readonly graceUntil?: Date;
  readonly misfits?: readonly string[];
}

/** What became of a Secret whose target is gone: `kept`, because something there still uses it, or because it is a copy. `target` is a cluster, or
 *  `cluster/namespace`, where none of its Secrets could be looked at. */
export interface PruneReport {
  readonly certificate?: string | undefined;
  readonly target: string;
  readonly outcome: 'deleted' | 'planned' | 'kept' | 'pending';
  readonly message: string;
}

/** What a run did. `failures` has an entry for each certificate of which something went wrong, so that the function can
 *  throw once the report is written, and answer an SQS batch message by message. */
export interface DeployReport {
  /** The worst first; `omitted`: how many more entries there are, of `pruned` too, where they are too many for an answer. */
  readonly certificates: readonly CertificateReport[];
  readonly omitted?: number | undefined;
  readonly pruned: readonly PruneReport[];
  readonly failures: ReadonlyMap<string, readonly Error[]>;
}

/** What the work on one target came to. */
export interface JobResult {
  readonly report: TargetReport;
  readonly step: DeliveryPhase;
  readonly failures: readonly Error[];
  /** An ARN to remember. */
  readonly arn?: string | undefined;
}

/** What the work on the targets of one cluster shares. */
export interface ClusterContext {
  readonly cluster: Cluster;
  readonly lists: WorkloadLists;
  readonly ports: DeployPorts;
  readonly invocation: DeployInvocation;
  readonly loadLastGood: LoadLastGood;
}

/** What AWSPREVIOUS holds, verified, or why it cannot be used, as one line: it is also refused where the job's version is no
 *  longer the current one. `isOver`: it ends too soon. `error`: a person must know of it. */
export type LastGood =
  | { readonly delivery: Delivery }
  | { readonly refusal: string; readonly isOver?: boolean; readonly error?: AgentError };

/** The version before that of a job. @throws StoreError */
export type LoadLastGood = (job: AnyJob) => Promise<LastGood>;
