// Delivers to all targets of one cluster: side by side, over one connection, and done with them once it serves none of them.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { adviseFreeze, describeFreeze, isByHand, judgeFrozen } from '../../policy/delivery/freeze.ts';
import { nameTarget } from '../../policy/delivery/secret.ts';
import { isNearExpiry } from '../../policy/delivery/windows.ts';
import { certificateAnnotation, readNotAfter } from '../../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import type { Freeze } from '../../state/delivery.ts';
import type { ClusterContext, DeployInvocation, DeployPorts, Job, JobResult } from '../invocation.ts';
import { createLoadLastGood, findLastGood } from '../last-good.ts';
import { keepValid } from '../plan/early.ts';
import { describeFailure, describeProgress, describeStay } from '../results.ts';
import { putBack } from './rollback.ts';
import { awaitRollouts } from './rollouts.ts';
import { KubernetesSecretLists } from './secret-lists.ts';
import { deliverInSteps } from './steps.ts';
import { deliverTarget } from './target.ts';
import { WorkloadLists } from './workload-lists.ts';

/** Targets under way at once in one cluster, where the inventory says nothing else. */
const usualConcurrency = 8;
/** Those among them that wait for their own rollouts, or for nothing at all. */
const separateAtOnce = 32;

/** One result for each job, in their order. Never rejects: what goes wrong is in the results. */
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
    const { concurrency = usualConcurrency } = invocation.inventory.clusters[name] ?? {};
    return await deliverAll(cluster, jobs, concurrency, ports, invocation);
  } finally {
    await cluster.close();
  }
}

async function deliverAll(
  cluster: Cluster,
  jobs: readonly Job[],
  concurrency: number,
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly JobResult[]> {
  const lists = new WorkloadLists(cluster, ports.log, invocation.signal);
  const context = { cluster, lists, ports, invocation, loadLastGood: createLoadLastGood(ports, invocation) };
  const ways = new Map(jobs.map((job) => [job, deliverSeparately(job, context)] as const));
  const together = jobs.filter((job) => ways.get(job) === undefined);
  const [others, results] = await Promise.all([
    deliverTogether(together, concurrency, context),
    mapConcurrently(jobs, separateAtOnce, async (job) =>
      ways
        .get(job)?.()
        .catch((error: unknown) => describeFailure(job, toError(error), invocation)),
    ),
  ]);
  return jobs.map((job, index) => {
    const result = results[index] ?? others[together.indexOf(job)];
    return result ?? describeFailure(job, new Error('the target was not looked at'), invocation);
  });
}

/** The way of a target that goes by itself: in steps that are waited for, or not at all, because its version is held or begins
 *  later. `undefined`: it goes with the others. */
function deliverSeparately(job: Job, context: ClusterContext): (() => Promise<JobResult>) | undefined {
  const { target, freeze, begins, step } = job;
  const held = freeze && judgeFrozen(freeze, nameTarget(target), step !== 'none');
  if (freeze && held === 'back') return () => goBack(job, freeze, context);
  const way = findWay(job, held, context);
  if (!begins) return way;
  return async () => (await keepValid(job, begins, context)) ?? (way ?? (() => deliverAlone(job, context)))();
}

function findWay(
  job: Job,
  held: ReturnType<typeof judgeFrozen> | undefined,
  context: ClusterContext,
): (() => Promise<JobResult>) | undefined {
  const { target, step, freeze } = job;
  if (freeze && held === 'stay') return () => stay(job, freeze, context);
  const { rollout } = target;
  return rollout && step !== 'rolled-out' ? () => deliverInSteps(job, rollout, context) : undefined;
}

/** What nobody has proved to fail here is watched once more, and taken back where it does. */
async function goBack(job: Job, freeze: Freeze, context: ClusterContext): Promise<JobResult> {
  const { rollout } = job.target;
  const lastGood = await findLastGood(job, false, context);
  const isUnseen = 'error' in lastGood && lastGood.error?.code === 'Unseen';
  if (isUnseen && rollout && !isByHand(freeze)) return deliverInSteps(job, rollout, context);
  return putBack(job, freeze, lastGood, context);
}

/** What the Secret has may be older than the version before, and end sooner: nothing holds that back from its successor. */
async function stay(job: Job, freeze: Freeze, context: ClusterContext): Promise<JobResult> {
  const { target, delivery, facts } = job;
  const { cluster, ports, invocation } = context;
  const { certificate } = delivery;
  const found = await cluster.readSecret(target.namespace, target.secret, invocation.signal);
  const isOurs = found?.annotations[certificateAnnotation] === certificate;
  const end = found && isOurs ? readNotAfter(found) : undefined;
  if (!end || !isNearExpiry(end, facts.notBefore, ports.clock.now())) {
    return describeStay(job, 'held', `${describeFreeze(freeze)}; ${adviseFreeze(certificate)}`);
  }
  const { rollout } = target;
  return rollout ? deliverInSteps(job, rollout, context) : deliverAlone(job, context);
}

async function deliverAlone(job: Job, context: ClusterContext): Promise<JobResult> {
  const [result] = await deliverTogether([job], 1, context);
  return result ?? describeFailure(job, new Error('the target was not looked at'), context.invocation);
}

async function deliverTogether(
  jobs: readonly Job[],
  concurrency: number,
  context: ClusterContext,
): Promise<readonly JobResult[]> {
  const { cluster, lists, ports, invocation } = context;
  const listed = new KubernetesSecretLists(cluster, jobs, ports.log, invocation.signal);
  const options = { ...ports, ...invocation, listed };
  let down: Error | undefined;
  const progress = await mapConcurrently(jobs, concurrency, async (job) => {
    // What one target has met at the door of the cluster, the others need not meet again.
    if (down) return down;
    const one = await deliverTarget(job, cluster, lists, options).catch(toError);
    down ??= (one instanceof Error ? [one] : one.failures).find(isAboutCluster);
    return one;
  });
  const rollouts = progress.flatMap((one) => (one instanceof Error ? [] : one.rollouts));
  const ends = await awaitRollouts(rollouts, lists, ports.clock, invocation.signal);
  const endOf = new Map(rollouts.map((rollout, index) => [rollout, ends[index]]));
  return jobs.map((job, index) => {
    const one = progress[index] ?? new Error('the target was not looked at');
    if (one instanceof Error) return describeFailure(job, one, invocation);
    return describeProgress(
      one,
      one.rollouts.map((rollout) => endOf.get(rollout)).filter((end) => end !== undefined),
      invocation,
    );
  });
}

/** Any other answer, whatever it says, is about one target. */
function isAboutCluster(error: Error): boolean {
  return error instanceof ClusterError && ['Unreachable', 'SignInFailed', 'Unsupported'].includes(error.code);
}
