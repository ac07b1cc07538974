// Delivers to one target, up to the start of its rollouts: observe, plan, apply, read back, mark workloads.
import type { SecretTarget, WorkloadKind } from '../../certificate/spec.ts';
import { adviseOthers, planRestarts, type RestartPlan } from '../../policy/delivery/restarts.ts';
import {
  compareStored,
  type Delivery,
  describeSecret,
  nameTarget,
  planSecret,
  type SecretPlan,
} from '../../policy/delivery/secret.ts';
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

/** A rollout that was started, now or by an earlier run. */
export interface StartedRollout {
  readonly namespace: string;
  readonly workload: Workload;
}

/** How far the work on one target has come. */
export interface TargetProgress {
  readonly job: Job;
  readonly action: SecretPlan['action'];
  /** Workloads that were marked now, or would be in a dry run. */
  readonly restarted: readonly string[];
  readonly rollouts: readonly StartedRollout[];
  readonly warnings: readonly string[];
  readonly failures: readonly Error[];
}

/** How often a Secret that somebody else changes meanwhile is looked at again. */
const attempts = 3;

/** How to act, and what that is decided by. */
export interface SecretUpdateOptions extends Pick<DeployPorts, 'store' | 'readText'> {
  readonly dryRun?: boolean | undefined;
  readonly signal: AbortSignal;
  /** Secrets that need not be read by themselves. */
  readonly listed?: KubernetesSecretLists;
}

/** @throws StoreError where a keystore's password cannot be read.
 *  @throws ClusterError where the Secret could not be brought up to date; then no workload has been touched. */
export async function deliverTarget(
  job: Job,
  cluster: Cluster,
  lists: WorkloadLists,
  options: SecretUpdateOptions,
): Promise<TargetProgress> {
  const { target, step } = job;
  const { action, warnings } = await updateSecret(job, cluster, options);
  const progress = { job, action, restarted: [], rollouts: [], warnings, failures: [] };
  if (target.restart === 'none' || (action === 'keep' && step === 'rolled-out')) return progress;
  try {
    const restarts = await restartWorkloads(job, cluster, lists, options);
    return { ...progress, ...restarts, warnings: [...warnings, ...restarts.warnings] };
  } catch (error) {
    return { ...progress, failures: [toError(error)] };
  }
}

/** What was done about a Secret, and what a person should know of it. */
export interface SecretUpdate {
  readonly action: SecretPlan['action'];
  readonly warnings: readonly string[];
}

/** Brings the Secret up to date, and says what that took. Decides again where it was changed in between.
 *  @param delivery What it is to hold, where that is not the job's own.
 *  @throws StoreError, ClusterError as `deliverTarget`; `Conflict` where a newer version has come meanwhile. */
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
    const wanted = describeSecret(delivery, target, password, found);
    const plan = planSecret(target, wanted, found);
    if (plan.action === 'refuse') throw new ClusterError(plan.code, plan.message);
    const weakness = describeWeakness(target, password);
    if (plan.action === 'create' && weakness !== undefined) throw new ClusterError('Rejected', weakness);
    const update = { action: plan.action, warnings: weakness === undefined ? [] : [weakness] };
    if (plan.action === 'keep' || dryRun) return update;
    if (found) await refuseSuperseded(job, found, store, signal);
    try {
      const stored = await carryOut(plan, wanted, found, cluster, signal);
      const different = compareStored(wanted, stored);
      if (different.length === 0) return update;
      const what = `the cluster stored ${different.join(', ')} of Secret ${nameTarget(target)} otherwise than it was sent`;
      throw new ClusterError('Rejected', `${what}: look for an admission webhook that changes Secrets`);
    } catch (error) {
      const isRace = error instanceof ClusterError && error.code === 'Conflict';
      if (!isRace || attempt === attempts) throw error;
    }
  }
}

/** A run may be a quarter of an hour old: what a faster one has put there since is not gone back from. Asks the store only
 *  where the Secret tells of a later certificate. */
async function refuseSuperseded(
  { delivery, target }: Job,
  { annotations }: ClusterSecret,
  store: SecretUpdateOptions['store'],
  signal: AbortSignal,
): Promise<void> {
  const { certificate, version, notAfter } = delivery;
  const held = annotations[versionAnnotation];
  if (held === version || !(new Date(annotations[notAfterAnnotation] ?? '') > notAfter)) return;
  const current = (await store.describe(certificate, signal))?.current;
  if (current === undefined || current === version) return;
  const message = `Secret ${nameTarget(target)} has version ${held} of ${certificate}: ${current} is current by now, and this run began with ${version}`;
  throw new ClusterError('Conflict', message);
}

async function carryOut(
  plan: Exclude<SecretPlan, { action: 'refuse' }>,
  wanted: SecretManifest,
  found: ClusterSecret | undefined,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<ClusterSecret> {
  if (plan.action !== 'replace' || !found) {
    return cluster.applySecret(wanted, { manager: 'certrelay', over: found }, signal);
  }
  await cluster.deleteSecret(wanted.namespace, wanted.name, found, signal);
  const made = await cluster.applySecret(wanted, { manager: 'certrelay' }, signal);
  if (Object.values({ ...plan.kept.data, ...plan.kept.labels, ...plan.kept.annotations }).length === 0)
    return made;
  return cluster.applySecret(plan.kept, { manager: 'certrelay-kept', over: made }, signal);
}

/** Marks the workloads that need it, one's failure not keeping the others from it. */
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
  const warnings = [...plans.flatMap(describeCaution), ...adviseOthers(target, others)];
  return { warnings, ...(await startRollouts(plans, target, cluster, { dryRun, signal })) };
}

/** The kinds of the listed workloads; `undefined` where none are listed, for any kind may use the Secret. */
export function kindsOf({ restart }: SecretTarget): readonly WorkloadKind[] | undefined {
  return typeof restart === 'string' ? undefined : restart.map(({ kind }) => kind);
}

/** Carries the plans out, one's failure not keeping the others from it. */
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

/** What a person should know of a plan before and after it is carried out. */
export function describeCaution(plan: RestartPlan): readonly string[] {
  if (plan.action === 'leave') {
    return [`${nameWorkload(plan.workload)} is not restarted: it says ${restartAnnotation}: "false"`];
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
      const message = `${name} does not exist in ${clusterName}/${namespace}: correct the target's "restart"`;
      throw new ClusterError('NotFound', message);
    }
  }
}
