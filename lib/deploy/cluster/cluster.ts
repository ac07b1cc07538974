// Delivers to all targets of one cluster at the same time, over one connection.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { adviseFreeze, describeFreeze, isByHand, judgeFrozen } from '../../policy/delivery/freeze.ts';
import { nameTarget } from '../../policy/delivery/secret-plan.ts';
import { isNearExpiry } from '../../policy/delivery/windows.ts';
import { certificateAnnotation, readNotAfter } from '../../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import type { Freeze } from '../../state/delivery.ts';
import type { ClusterContext, DeployInvocation, DeployPorts, Job, JobResult } from '../invocation.ts';
import { createLoadLastGood, findLastGood } from '../last-good.ts';
import { keepValidSecret } from '../plan/not-yet-valid.ts';
import { describeFailure, describeProgress, describeUndelivered } from '../results.ts';
import { putBack } from './rollback.ts';
import { awaitRollouts } from './rollouts.ts';
import { KubernetesSecretLists } from './secret-lists.ts';
import { deliverTarget } from './target.ts';
import { deliverInWaves } from './waves.ts';
import { WorkloadLists } from './workload-lists.ts';

/** Targets worked on at once in one cluster, unless the inventory sets `concurrency`. */
const defaultConcurrency = 8;
/** Targets that are delivered separately at once: most of their time is waiting for their own rollouts. */
const mostSeparate = 32;

/** One result for each job, in order. Never rejects: errors are in the results. */
export async function deployToCluster(
  name: string,
  jobs: readonly Job[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly JobResult[]> {
  let cluster: Cluster;
  try {
    cluster = await ports.connect(name, invocation.signal);
  } catch (error) {
    return jobs.map((job) => describeFailure(job, toError(error), invocation));
  }
  try {
    const { concurrency = defaultConcurrency } = invocation.inventory.clusters[name] ?? {};
    return await deliverAll({ cluster, jobs, concurrency }, ports, invocation);
  } finally {
    await cluster.close();
  }
}

async function deliverAll(
  work: { readonly cluster: Cluster; readonly jobs: readonly Job[]; readonly concurrency: number },
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly JobResult[]> {
  const { cluster, jobs, concurrency } = work;
  const lists = new WorkloadLists(cluster, ports.log, invocation.signal);
  const context = { cluster, lists, ports, invocation, loadLastGood: createLoadLastGood(ports, invocation) };
  const separateDeliveries = new Map(jobs.map((job) => [job, deliverSeparately(job, context)] as const));
  const together = jobs.filter((job) => separateDeliveries.get(job) === undefined);
  const [others, results] = await Promise.all([
    deliverTogether(together, concurrency, context),
    mapConcurrently(jobs, mostSeparate, async (job) =>
      separateDeliveries
        .get(job)?.()
        .catch((error: unknown) => describeFailure(job, toError(error), invocation)),
    ),
  ]);
  return jobs.map((job, index) => {
    const result = results[index] ?? others[together.indexOf(job)];
    return result ?? describeFailure(job, new Error('the target was not worked on'), invocation);
  });
}

/** How to deliver a target that needs its own treatment: in waves, or not at all because its version is
 *  frozen or not valid yet. `undefined`: it is delivered together with the others. */
function deliverSeparately(job: Job, context: ClusterContext): (() => Promise<JobResult>) | undefined {
  const { target, freeze, begins, phase } = job;
  const decision = freeze && judgeFrozen(freeze, nameTarget(target), phase !== 'none');
  if (freeze && decision === 'back') return () => returnToLastGood(job, freeze, context);
  const deliver = chooseDelivery(job, decision, context);
  if (!begins) return deliver;
  return async () =>
    (await keepValidSecret(job, begins, context)) ?? (deliver ?? (() => deliverAlone(job, context)))();
}

function chooseDelivery(
  job: Job,
  decision: ReturnType<typeof judgeFrozen> | undefined,
  context: ClusterContext,
): (() => Promise<JobResult>) | undefined {
  const { target, phase, freeze } = job;
  if (freeze && decision === 'stay') return () => keepFrozen(job, freeze, context);
  const { rollout } = target;
  return rollout && phase !== 'rolled-out' ? () => deliverInWaves(job, rollout, context) : undefined;
}

/** Puts the previous version back. If nobody has seen the frozen version fail at this target, delivers it
 *  once more in waves, which rolls back by itself if it fails here. */
async function returnToLastGood(job: Job, freeze: Freeze, context: ClusterContext): Promise<JobResult> {
  const { rollout } = job.target;
  const lastGood = await findLastGood(job, { isSeen: false }, context);
  const isUnseen = 'error' in lastGood && lastGood.error?.code === 'Unseen';
  if (isUnseen && rollout && !isByHand(freeze)) return deliverInWaves(job, rollout, context);
  return putBack(job, freeze, lastGood, context);
}

/** Leaves the Secret as it is, unless its certificate expires soon: then delivers the frozen version after
 *  all. The Secret may contain an older certificate than the previous version, which expires sooner. */
async function keepFrozen(job: Job, freeze: Freeze, context: ClusterContext): Promise<JobResult> {
  const { target, delivery, facts } = job;
  const { cluster, ports, invocation } = context;
  const { certificate } = delivery;
  const found = await cluster.readSecret(target.namespace, target.secret, invocation.signal);
  const isOurs = found?.annotations[certificateAnnotation] === certificate;
  const end = found && isOurs ? readNotAfter(found) : undefined;
  if (!end || !isNearExpiry(end, facts.notBefore, ports.clock.now())) {
    return describeUndelivered(job, 'held', `${describeFreeze(freeze)}; ${adviseFreeze(certificate)}`);
  }
  const { rollout } = target;
  return rollout ? deliverInWaves(job, rollout, context) : deliverAlone(job, context);
}

async function deliverAlone(job: Job, context: ClusterContext): Promise<JobResult> {
  const [result] = await deliverTogether([job], 1, context);
  return result ?? describeFailure(job, new Error('the target was not worked on'), context.invocation);
}

async function deliverTogether(
  jobs: readonly Job[],
  concurrency: number,
  context: ClusterContext,
): Promise<readonly JobResult[]> {
  const { cluster, lists, ports, invocation } = context;
  const listed = new KubernetesSecretLists(cluster, jobs, ports.log, invocation.signal);
  const options = { ...ports, ...invocation, listed };
  let clusterError: Error | undefined;
  const progress = await mapConcurrently(jobs, concurrency, async (job) => {
    // A cluster that cannot be reached for one target is not tried again for the others.
    if (clusterError) return clusterError;
    const result = await deliverTarget(job, cluster, lists, options).catch(toError);
    clusterError ??= (result instanceof Error ? [result] : result.failures).find(isAboutCluster);
    return result;
  });
  const rollouts = progress.flatMap((result) => (result instanceof Error ? [] : result.rollouts));
  const ends = await awaitRollouts(rollouts, lists, { clock: ports.clock, signal: invocation.signal });
  const endOf = new Map(rollouts.map((rollout, index) => [rollout, ends[index]]));
  return jobs.map((job, index) => {
    const result = progress[index] ?? new Error('the target was not worked on');
    if (result instanceof Error) return describeFailure(job, result, invocation);
    return describeProgress(
      result,
      result.rollouts.map((rollout) => endOf.get(rollout)).filter((end) => end !== undefined),
      invocation,
    );
  });
}

/** Whether the error concerns the whole cluster. Any other error concerns one target. */
function isAboutCluster(error: Error): boolean {
  return error instanceof ClusterError && ['Unreachable', 'SignInFailed', 'Unsupported'].includes(error.code);
}
