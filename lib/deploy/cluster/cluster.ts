// Delivers to all targets of one cluster: side by side, over one connection, and done with them once it serves none of them.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { adviseHold, describeHold, type Hold, isByHand, judgeHeld } from '../../policy/delivery/freeze.ts';
import { nameTarget } from '../../policy/delivery/secret.ts';
import { isEnding } from '../../policy/delivery/windows.ts';
import { certificateAnnotation, readNotAfter } from '../../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import { createLoadLastGood, findLastGood } from '../last-good.ts';
import { keepValid } from '../plan/early.ts';
import { describeFailure, describeProgress, describeStay } from '../results.ts';
import type { ClusterPass, DeployPorts, DeployRun, Job, JobResult } from '../run.ts';
import { putBack } from './rollback.ts';
import { awaitRollouts } from './rollouts.ts';
import { SecretLists } from './secret-lists.ts';
import { deliverInSteps } from './steps.ts';
import { deliverTarget } from './target.ts';
import { WorkloadLists } from './workload-lists.ts';

/** Targets under way at once in one cluster, where the inventory says nothing else. */
const usualConcurrency = 8;
/** Those among them that wait for their own rollouts, or for nothing at all. */
const apartAtOnce = 32;

/** One result for each job, in their order. Never rejects: what goes wrong is in the results. */
export async function deployToCluster(
  name: string,
  jobs: readonly Job[],
  ports: DeployPorts,
  run: DeployRun,
): Promise<readonly JobResult[]> {
  let cluster: Cluster;
  try {
    cluster = await ports.connect(name, run.signal);
  } catch (error) {
    return jobs.map((job) => describeFailure(job, toError(error), run));
  }
  try {
    const { concurrency = usualConcurrency } = run.inventory.clusters[name] ?? {};
    return await deliverAll(cluster, jobs, concurrency, ports, run);
  } finally {
    await cluster.close();
  }
}

async function deliverAll(
  cluster: Cluster,
  jobs: readonly Job[],
  concurrency: number,
  ports: DeployPorts,
  run: DeployRun,
): Promise<readonly JobResult[]> {
  const lists = new WorkloadLists(cluster, ports.log, run.signal);
  const pass = { cluster, lists, ports, run, loadLastGood: createLoadLastGood(ports, run) };
  const ways = new Map(jobs.map((job) => [job, goApart(job, pass)] as const));
  const together = jobs.filter((job) => ways.get(job) === undefined);
  const [others, results] = await Promise.all([
    deliverTogether(together, concurrency, pass),
    mapConcurrently(jobs, apartAtOnce, async (job) =>
      ways
        .get(job)?.()
        .catch((error: unknown) => describeFailure(job, toError(error), run)),
    ),
  ]);
  return jobs.map((job, index) => {
    const result = results[index] ?? others[together.indexOf(job)];
    return result ?? describeFailure(job, new Error('the target was not looked at'), run);
  });
}

/** The way of a target that goes by itself: in steps that are waited for, or not at all, because its version is held or begins
 *  later. `undefined`: it goes with the others. */
function goApart(job: Job, pass: ClusterPass): (() => Promise<JobResult>) | undefined {
  const { target, hold, begins, step } = job;
  const held = hold && judgeHeld(hold, nameTarget(target), step !== 'none');
  if (hold && held === 'back') return () => goBack(job, hold, pass);
  const way = findWay(job, held, pass);
  if (!begins) return way;
  return async () => (await keepValid(job, begins, pass)) ?? (way ?? (() => deliverAlone(job, pass)))();
}

function findWay(
  job: Job,
  held: ReturnType<typeof judgeHeld> | undefined,
  pass: ClusterPass,
): (() => Promise<JobResult>) | undefined {
  const { target, step, hold } = job;
  if (hold && held === 'stay') return () => stay(job, hold, pass);
  const { rollout } = target;
  return rollout && step !== 'rolled-out' ? () => deliverInSteps(job, rollout, pass) : undefined;
}

/** What nobody has proved to fail here is watched once more, and taken back where it does. */
async function goBack(job: Job, hold: Hold, pass: ClusterPass): Promise<JobResult> {
  const { rollout } = job.target;
  const lastGood = await findLastGood(job, false, pass);
  const isUnseen = 'error' in lastGood && lastGood.error?.code === 'Unseen';
  if (isUnseen && rollout && !isByHand(hold)) return deliverInSteps(job, rollout, pass);
  return putBack(job, hold, lastGood, pass);
}

/** What the Secret has may be older than the version before, and end sooner: nothing holds that back from its successor. */
async function stay(job: Job, hold: Hold, pass: ClusterPass): Promise<JobResult> {
  const { target, delivery, facts } = job;
  const { cluster, ports, run } = pass;
  const { certificate } = delivery;
  const found = await cluster.readSecret(target.namespace, target.secret, run.signal);
  const isOurs = found?.annotations[certificateAnnotation] === certificate;
  const end = found && isOurs ? readNotAfter(found) : undefined;
  if (!end || !isEnding(end, facts.notBefore, ports.clock.now())) {
    return describeStay(job, 'held', `${describeHold(hold)}; ${adviseHold(certificate)}`);
  }
  const { rollout } = target;
  return rollout ? deliverInSteps(job, rollout, pass) : deliverAlone(job, pass);
}

async function deliverAlone(job: Job, pass: ClusterPass): Promise<JobResult> {
  const [result] = await deliverTogether([job], 1, pass);
  return result ?? describeFailure(job, new Error('the target was not looked at'), pass.run);
}

async function deliverTogether(
  jobs: readonly Job[],
  concurrency: number,
  pass: ClusterPass,
): Promise<readonly JobResult[]> {
  const { cluster, lists, ports, run } = pass;
  const listed = new SecretLists(cluster, jobs, ports.log, run.signal);
  const manner = { ...ports, ...run, listed };
  let down: Error | undefined;
  const progress = await mapConcurrently(jobs, concurrency, async (job) => {
    // What one target has met at the door of the cluster, the others need not meet again.
    if (down) return down;
    const one = await deliverTarget(job, cluster, lists, manner).catch(toError);
    down ??= (one instanceof Error ? [one] : one.failures).find(isAboutCluster);
    return one;
  });
  const rollouts = progress.flatMap((one) => (one instanceof Error ? [] : one.rollouts));
  const ends = await awaitRollouts(rollouts, lists, ports.clock, run.signal);
  const endOf = new Map(rollouts.map((rollout, index) => [rollout, ends[index]]));
  return jobs.map((job, index) => {
    const one = progress[index] ?? new Error('the target was not looked at');
    if (one instanceof Error) return describeFailure(job, one, run);
    return describeProgress(
      one,
      one.rollouts.map((rollout) => endOf.get(rollout)).filter((end) => end !== undefined),
      run,
    );
  });
}

/** Any other answer, whatever it says, is about one target. */
function isAboutCluster(error: Error): boolean {
  return error instanceof ClusterError && ['Unreachable', 'SignInFailed', 'Unsupported'].includes(error.code);
}
