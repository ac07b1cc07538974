// The plan of one target: what its Secret gets and which workloads restart in which wave. A value, made from
// what was observed; nothing is read or written here.

import type { RolloutSpec, WorkloadKind } from '../../certificate/rollout-spec.ts';
import { nameSome } from '../../policy/bounds.ts';
import { readWrongSince } from '../../policy/delivery/drift.ts';
import type { RestartCause } from '../../policy/delivery/restart-marks.ts';
import {
  describeOtherUsers,
  planRestarts,
  planRollbackRestarts,
  type RestartPlan,
} from '../../policy/delivery/restarts.ts';
import { nameTarget } from '../../policy/delivery/secret-plan.ts';
import { planWaves } from '../../policy/delivery/waves.ts';
import {
  type ClusterSecret,
  nameWorkload,
  restartAnnotation,
  versionAnnotation,
  type Workload,
} from '../../policy/kubernetes/objects.ts';
import type { RunningPod } from '../../policy/kubernetes/pods.ts';
import type { SecretUser } from '../../policy/kubernetes/secret-users.ts';
import { ClusterError } from '../../ports/cluster.ts';
import type { Freeze } from '../../state/delivery.ts';
import type { Job, JobResult } from '../invocation.ts';
import { describeRefusal } from '../results.ts';
import { considerPods } from './pod-starts.ts';
import type { SecretDecision, SecretWork } from './secret-decision.ts';

/** A target that is left as it is, with its result. */
export interface LeavePlan {
  readonly kind: 'leave';
  readonly job: Job;
  readonly result: JobResult;
}

/** A target whose Secret gets a version, or has it. */
export interface SecretDelivery {
  readonly job: Job;
  readonly work: SecretWork;
  /** The restarts in waves: a later wave begins once the one before is complete. Without `rollout`: one
   *  wave. */
  readonly waves: readonly (readonly RestartPlan[])[];
  readonly warnings: readonly string[];
  /** What is known to fail: workloads that cannot be listed, or do not exist. The Secret is updated all the
   *  same. */
  readonly failures: readonly Error[];
}

/** A target that gets the job's version. */
export interface DeliverPlan extends SecretDelivery {
  readonly kind: 'deliver';
  /** Set if each wave is watched, and taken back if it does harm. */
  readonly rollout?: RolloutSpec | undefined;
}

/** A target that goes back to the previous version. */
export interface ReturnPlan extends SecretDelivery {
  readonly kind: 'return';
  readonly freeze: Freeze;
}

/** What to do for one target in a cluster. */
export type TargetPlan = LeavePlan | DeliverPlan | ReturnPlan;

/** What was observed of the workloads that use the target's Secret. */
export interface WorkloadObservation {
  /** An error if they cannot be listed; empty if no workload is to restart. */
  readonly workloads: readonly Workload[] | Error;
  readonly others: readonly SecretUser[];
  /** An error if they cannot be listed; absent if they do not matter. */
  readonly pods?: readonly RunningPod[] | Error | undefined;
}

/** Plans one target. */
export function planTarget(
  job: Job,
  decision: SecretDecision,
  seen: WorkloadObservation,
  now: Date,
): TargetPlan {
  switch (decision.kind) {
    case 'leave':
      return { kind: 'leave', job, result: decision.result };
    case 'return':
      return planReturn(job, decision, seen);
    case 'deliver':
      return planDelivery(job, decision.work, seen, now);
  }
}

/** Whether the plan depends on when pods started: the Secret was wrong for a while, or somebody took a mark
 *  away. */
export function needsPods(plan: TargetPlan): boolean {
  if (plan.kind !== 'deliver') return false;
  const restarts = plan.waves.flat();
  return isRepair(plan.work) ? restarts.length > 0 : restarts.some(({ action }) => action === 'undone');
}

function isRepair({ desired }: SecretWork): boolean {
  return readWrongSince(desired) !== undefined;
}

/** Whether the plan needs the workloads of the namespace. What is complete is not read again. */
export function needsWorkloads({ target, phase }: Job, decision: SecretDecision): boolean {
  if (decision.kind === 'leave' || target.restart === 'none') return false;
  if (decision.kind === 'return' || decision.work.plan.action !== 'keep') return true;
  return phase !== 'rolled-out' || isRepair(decision.work);
}

/** The kinds of the workloads that `restart` lists. `undefined` if it
 *  lists none: any kind may use the Secret. */
export function kindsOf({ target: { restart } }: Pick<Job, 'target'>): readonly WorkloadKind[] | undefined {
  return typeof restart === 'string' ? undefined : restart.map(({ kind }) => kind);
}

/** When an earlier invocation applied the plan's version; `undefined`: this one does. */
export function deliveredBefore({ work }: SecretDelivery): Date | undefined {
  return work.plan.action === 'keep' ? work.found?.appliedAt : undefined;
}

/** The waves of a target that has the version, planned again from newly listed workloads.
 *  @throws ClusterError `NotFound` if the canary is none of them. */
export function planWavesAgain({ job, work, rollout }: DeliverPlan, workloads: readonly Workload[]) {
  const restarts = planRestarts(job.target, causeOf(job, work.found), workloads);
  return rollout ? splitWaves(job, restarts, rollout) : [restarts];
}

function planDelivery(job: Job, work: SecretWork, seen: WorkloadObservation, now: Date): TargetPlan {
  const { target, phase } = job;
  const { workloads, others } = seen;
  // A repair is not watched: what it restarts ran with this version before.
  const rollout = phase === 'rolled-out' || isRepair(work) ? undefined : target.rollout;
  if (workloads instanceof Error) {
    if (rollout) return { kind: 'leave', job, result: describeRefusal(job, workloads) };
    const { warnings } = work;
    return { kind: 'deliver', job, work, waves: [[]], warnings, failures: [workloads] };
  }
  const planned = planRestarts(target, causeOf(job, work.found), workloads).filter(
    (plan) => !isLeftBefore(job, plan),
  );
  const { restarts, isSettled, problems } = considerPods(job, work, planned, { pods: seen.pods, now });
  try {
    const waves = rollout ? splitWaves(job, restarts, rollout) : [restarts];
    const warnings = [
      ...work.warnings,
      ...problems,
      ...restarts.flatMap(describeCaution),
      ...describeOtherUsers(target, others),
    ];
    const failures = findMissing(job, restarts);
    const needed = isSettled ? (work.settled ?? work) : work;
    return { kind: 'deliver', job, work: needed, waves, rollout, warnings, failures };
  } catch (error) {
    if (error instanceof ClusterError) return { kind: 'leave', job, result: describeRefusal(job, error) };
    throw error;
  }
}

/** Whether it is a Rollout that was left when the version was delivered: it is no more Certrelay's than
 *  then. */
function isLeftBefore({ target, phase }: Job, { action, workload }: RestartPlan): boolean {
  const isFound = typeof target.restart === 'string' && workload.kind === 'Rollout';
  return phase === 'rolled-out' && action === 'restart' && isFound;
}

function planReturn(
  job: Job,
  { freeze, work }: Extract<SecretDecision, { kind: 'return' }>,
  { workloads }: WorkloadObservation,
): TargetPlan {
  const { warnings } = work;
  if (workloads instanceof Error) {
    return { kind: 'return', job, freeze, work, waves: [[]], warnings, failures: [workloads] };
  }
  const { fingerprint } = work.delivery;
  const cause: RestartCause = { fingerprint, isResumed: true };
  const restarts = planRollbackRestarts(job.target, job.delivery.fingerprint, cause, workloads);
  return { kind: 'return', job, freeze, work, waves: [restarts], warnings, failures: [] };
}

/** Why workloads restart: the job's version, and when the Secret got it. */
function causeOf({ delivery, phase }: Job, found: ClusterSecret | undefined): RestartCause {
  const hasVersion = found?.annotations[versionAnnotation] === delivery.version;
  return {
    fingerprint: delivery.fingerprint,
    createdAt: delivery.createdAt,
    appliedAt: hasVersion ? found.appliedAt : undefined,
    isResumed: phase !== 'none',
  };
}

/** @throws ClusterError `NotFound` if the canary is none of the workloads. */
function splitWaves({ target }: Job, restarts: readonly RestartPlan[], rollout: RolloutSpec) {
  const order = typeof target.restart === 'string' ? 'found' : 'listed';
  const planned = planWaves(restarts, rollout, order);
  if ('waves' in planned) return planned.waves;
  const canary = nameWorkload(planned.missing);
  const message = `the canary ${canary} of ${nameTarget(target)} is none of the workloads to restart; correct the target's "rollout" or "restart"`;
  throw new ClusterError('NotFound', message);
}

/** One error for each workload that the inventory lists and the namespace does not have. */
export function findMissing({ target }: Job, restarts: readonly RestartPlan[]): readonly Error[] {
  return restarts
    .filter(({ action }) => action === 'missing')
    .map(({ workload }) => {
      const where = `${target.cluster}/${target.namespace}`;
      const message = `${nameWorkload(workload)} does not exist in ${where}; correct the target's "restart"`;
      return new ClusterError('NotFound', message);
    });
}

function describeCaution(plan: RestartPlan): readonly string[] {
  if (plan.action === 'leave') {
    const { refusesRestart, restartAt } = plan.workload;
    const why = refusesRestart
      ? `it has the annotation ${restartAnnotation}: "false"`
      : `somebody has planned its restart for ${restartAt?.toISOString()} (spec.restartAt)`;
    return [`${nameWorkload(plan.workload)} is not restarted: ${why}`];
  }
  return plan.action === 'restart' && plan.warning ? [plan.warning] : [];
}

/** The waves for a report: `in 2 steps: Deployment canary, then Deployment web`. */
export function describeWaves(waves: SecretDelivery['waves']): string {
  const names = waves.map((plans) => nameSome(plans.map(({ workload }) => nameWorkload(workload))));
  return `in ${waves.length} ${waves.length === 1 ? 'step' : 'steps'}: ${names.join(', then ')}`;
}
