// Delivers to one target, up to the start of its rollouts: reads, plans and applies the Secret, restarts.

import type { WorkloadKind } from '../../certificate/rollout-spec.ts';
import type { SecretTarget } from '../../certificate/spec.ts';
import { describeOtherUsers, planRestarts, type RestartPlan } from '../../policy/delivery/restarts.ts';
import {
  compareStored,
  type Delivery,
  describeSecret,
  nameTarget,
  planSecret,
  type SecretPlan,
} from '../../policy/delivery/secret-plan.ts';
import {
  type ClusterSecret,
  nameWorkload,
  notAfterAnnotation,
  restartAnnotation,
  type SecretManifest,
  versionAnnotation,
  type Workload,
} from '../../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import { describeWeakness, readPassword } from '../../ports/passwords.ts';
import type { DeployPorts, Job } from '../invocation.ts';
import type { KubernetesSecretLists } from './secret-lists.ts';
import type { WorkloadLists } from './workload-lists.ts';

/** A rollout that this or an earlier invocation started. */
export interface StartedRollout {
  readonly namespace: string;
  readonly workload: Workload;
}

/** One target after its Secret was updated and its rollouts were started. */
export interface TargetProgress {
  readonly job: Job;
  readonly action: SecretPlan['action'];
  /** Workloads that were restarted now, or would be in a dry run. */
  readonly restarted: readonly string[];
  readonly rollouts: readonly StartedRollout[];
  readonly warnings: readonly string[];
  readonly failures: readonly Error[];
}

/** How often a Secret is planned again because somebody else changed it at the same time. */
const attempts = 3;

/** What `updateSecret` needs beside the job. */
export interface SecretUpdateOptions extends Pick<DeployPorts, 'store' | 'readText'> {
  readonly dryRun?: boolean | undefined;
  readonly signal: AbortSignal;
  /** Secrets that were listed and need not be read one by one. */
  readonly listed?: KubernetesSecretLists;
}

/** Updates the target's Secret and starts the rollouts of workloads that need it. Does not wait for them. A
 *  failed restart is in `failures`.
 *  @throws StoreError if a keystore's password cannot be read.
 *  @throws ClusterError if the Secret cannot be updated. No workload was restarted then. */
export async function deliverTarget(
  job: Job,
  cluster: Cluster,
  lists: WorkloadLists,
  options: SecretUpdateOptions,
): Promise<TargetProgress> {
  const { target, phase } = job;
  const { action, warnings } = await updateSecret(job, cluster, options);
  const progress = { job, action, restarted: [], rollouts: [], warnings, failures: [] };
  if (target.restart === 'none' || (action === 'keep' && phase === 'rolled-out')) return progress;
  try {
    const restarts = await restartWorkloads(job, cluster, lists, options);
    return { ...progress, ...restarts, warnings: [...warnings, ...restarts.warnings] };
  } catch (error) {
    return { ...progress, failures: [toError(error)] };
  }
}

/** What `updateSecret` changed, with warnings for the report. */
export interface SecretUpdate {
  readonly action: SecretPlan['action'];
  readonly warnings: readonly string[];
}

/** Updates the Secret if it differs from what it should be, and verifies what the cluster stored. Plans again
 *  if somebody else changed the Secret at the same time.
 *  @param delivery What the Secret should contain. Default: the job's version.
 *  @throws StoreError, ClusterError as `deliverTarget`; `Conflict` if the
 *  Secret has a newer version by now. */
export async function updateSecret(
  job: Job,
  cluster: Cluster,
  { dryRun, signal, store, readText, listed }: SecretUpdateOptions,
  delivery: Delivery = job.delivery,
): Promise<SecretUpdate> {
  const { target } = job;
  const password = await readPassword(target, readText, signal);
  for (let attempt = 1; ; attempt += 1) {
    const known = attempt === 1 ? await listed?.find(target) : undefined;
    const found = known ?? (await cluster.readSecret(target.namespace, target.secret, signal));
    const desired = describeSecret(delivery, target, password, found);
    const plan = planSecret(target, desired, found);
    if (plan.action === 'refuse') throw new ClusterError(plan.code, plan.message);
    const weakness = describeWeakness(target, password);
    if (plan.action === 'create' && weakness !== undefined) throw new ClusterError('Rejected', weakness);
    const update = { action: plan.action, warnings: [...plan.warnings, ...(weakness ? [weakness] : [])] };
    if (plan.action === 'keep' || dryRun) return update;
    if (found) await refuseSuperseded(job, found, store, signal);
    try {
      const stored = await applyPlan({ plan, desired, found }, cluster, signal);
      const different = compareStored({ plan, desired, found }, stored);
      if (different.length === 0) return update;
      const what = `the cluster ${different.join(', ')} of Secret ${nameTarget(target)} before storing it`;
      throw new ClusterError(
        'Rejected',
        `${what}; find the admission webhook or policy that changes Secrets, and exclude this Secret from it`,
      );
    } catch (error) {
      const isRace = error instanceof ClusterError && error.code === 'Conflict';
      if (!isRace || attempt === attempts) throw error;
    }
  }
}

/** Refuses to replace a newer version that a faster invocation has applied. Asks the store only if the
 *  Secret's annotations name a certificate that expires later.
 *  @throws ClusterError `Conflict` if the job's version is no longer AWSCURRENT. */
async function refuseSuperseded(
  { delivery, target }: Job,
  { annotations }: ClusterSecret,
  store: SecretUpdateOptions['store'],
  signal: AbortSignal,
): Promise<void> {
  const { certificate, version, notAfter } = delivery;
  const appliedVersion = annotations[versionAnnotation];
  if (appliedVersion === version || !(new Date(annotations[notAfterAnnotation] ?? '') > notAfter)) return;
  const current = (await store.describe(certificate, signal))?.current;
  if (current === undefined || current === version) return;
  const message = `Secret ${nameTarget(target)} has version ${appliedVersion} of ${certificate}; this run began with ${version}, but ${current} is current now`;
  throw new ClusterError('Conflict', message);
}

async function applyPlan(
  change: {
    readonly plan: Exclude<SecretPlan, { action: 'refuse' }>;
    readonly desired: SecretManifest;
    readonly found: ClusterSecret | undefined;
  },
  cluster: Cluster,
  signal: AbortSignal,
): Promise<ClusterSecret> {
  const { plan, desired, found } = change;
  if (plan.action !== 'replace' || !found) {
    return cluster.applySecret(desired, { manager: 'certrelay', over: found }, signal);
  }
  await cluster.deleteSecret(desired.namespace, desired.name, found, signal);
  const created = await cluster.applySecret(desired, { manager: 'certrelay' }, signal);
  if (Object.values({ ...plan.kept.data, ...plan.kept.labels, ...plan.kept.annotations }).length === 0)
    return created;
  return cluster.applySecret(plan.kept, { manager: 'certrelay-kept', over: created }, signal);
}

/** Patches the pod template of each workload that must restart. A failed patch is reported and does not stop
 *  the others. */
async function restartWorkloads(
  { target, delivery }: Job,
  cluster: Cluster,
  lists: WorkloadLists,
  { dryRun, signal }: SecretUpdateOptions,
): Promise<Omit<TargetProgress, 'job' | 'action'>> {
  const { namespace } = target;
  const kinds = kindsOf(target);
  const [workloads, others] = await Promise.all([
    lists.get(namespace, kinds),
    kinds ? [] : lists.others(namespace),
  ]);
  const plans = planRestarts(target, delivery.fingerprint, workloads);
  const warnings = [...plans.flatMap(describeCaution), ...describeOtherUsers(target, others)];
  return { warnings, ...(await startRollouts(plans, target, cluster, { dryRun, signal })) };
}

/** The kinds of the workloads that `restart` lists. `undefined` if it
 *  lists none: any kind may use the Secret. */
export function kindsOf({ restart }: SecretTarget): readonly WorkloadKind[] | undefined {
  return typeof restart === 'string' ? undefined : restart.map(({ kind }) => kind);
}

/** Starts the rollouts that the plans ask for; in a dry run, only names them. A failed patch is reported and
 *  does not stop the others. Never rejects. */
export async function startRollouts(
  plans: readonly RestartPlan[],
  target: SecretTarget,
  cluster: Cluster,
  { dryRun, signal }: Pick<SecretUpdateOptions, 'dryRun' | 'signal'>,
): Promise<Pick<TargetProgress, 'restarted' | 'rollouts' | 'failures'>> {
  const started = dryRun
    ? []
    : await Promise.allSettled(plans.map((plan) => startRollout(plan, target, cluster, signal)));
  return {
    restarted: plans.flatMap((plan, index) =>
      plan.action === 'restart' && started[index]?.status !== 'rejected' ? [nameWorkload(plan.workload)] : [],
    ),
    rollouts: started.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : [])),
    failures: started.flatMap((result) => (result.status === 'rejected' ? [toError(result.reason)] : [])),
  };
}

/** Warnings of one plan, for the report of a dry run and of a real one. */
export function describeCaution(plan: RestartPlan): readonly string[] {
  if (plan.action === 'leave') {
    return [
      `${nameWorkload(plan.workload)} is not restarted: it has the annotation ${restartAnnotation}: "false"`,
    ];
  }
  return plan.action === 'restart' && plan.warning ? [plan.warning] : [];
}

async function startRollout(
  plan: RestartPlan,
  { cluster: clusterName, namespace }: SecretTarget,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<StartedRollout | undefined> {
  switch (plan.action) {
    case 'leave':
      return undefined;
    case 'restart':
      return {
        namespace,
        workload: await cluster.restartWorkload(namespace, plan.workload, plan.mark, signal),
      };
    case 'await':
      return { namespace, workload: plan.workload };
    case 'missing': {
      const name = nameWorkload(plan.workload);
      const message = `${name} does not exist in ${clusterName}/${namespace}; correct the target's "restart"`;
      throw new ClusterError('NotFound', message);
    }
  }
}
