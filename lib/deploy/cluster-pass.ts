// Delivers to all targets of one cluster: side by side, over one connection, and done with them once it is unreachable.
import type { Cluster } from '../cluster-ports.ts';
import { mapConcurrently } from '../concurrency.ts';
import { ClusterError, toError } from '../errors.ts';
import { describeError } from '../log.ts';
import { nameTarget, type SecretPlan } from '../policy/deployment.ts';
import { awaitRollouts, type RolloutEnd } from './rollouts.ts';
import type { DeployPorts, DeployRun, Job, JobResult, TargetOutcome } from './run.ts';
import { deliverTarget, type TargetProgress } from './target.ts';
import { WorkloadLists } from './workload-lists.ts';

/** Targets under way at once in one cluster. */
const concurrency = 8;

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
    return jobs.map((job) => describeFailure(job, asError(error), run));
  }
  try {
    return await deliverAll(cluster, jobs, ports, run);
  } finally {
    await cluster.close();
  }
}

async function deliverAll(
  cluster: Cluster,
  jobs: readonly Job[],
  { clock, log, readText }: DeployPorts,
  run: DeployRun,
): Promise<readonly JobResult[]> {
  const lists = new WorkloadLists(cluster, log, run.signal);
  let down: Error | undefined;
  const progress = await mapConcurrently(jobs, concurrency, async (job) => {
    // One target has waited for a cluster that does not answer; the others need not. An answer, whatever it says, is
    // about one target.
    if (down) return down;
    const one = await deliverTarget(job, cluster, lists, { ...run, readText }).catch(asError);
    down ??= (one instanceof Error ? [one] : one.failures).find(isUnreachable);
    return one;
  });
  const rollouts = progress.flatMap((one) => (one instanceof Error ? [] : one.rollouts));
  const ends = await awaitRollouts(rollouts, lists, clock, run.signal);
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

function describeFailure({ delivery, target, step }: Job, error: Error, { signal }: DeployRun): JobResult {
  const isRefusal =
    error instanceof ClusterError && ['Foreign', 'TypeConflict', 'Rejected'].includes(error.code);
  const isLate = signal.aborted && !(error instanceof ClusterError);
  const message = isLate ? 'time was up before it was delivered' : describeError(error);
  return {
    step: isRefusal ? 'none' : step,
    failures: [isLate ? new Error(`${nameTarget(target)}: ${message}`, { cause: error }) : error],
    report: {
      certificate: delivery.certificate,
      target: nameTarget(target),
      outcome: isRefusal ? 'refused' : 'pending',
      action: isRefusal ? 'refuse' : undefined,
      restarted: [],
      message,
    },
  };
}

function describeProgress(progress: TargetProgress, ends: readonly RolloutEnd[], run: DeployRun): JobResult {
  const { job, action, restarted, warnings } = progress;
  const failures = [
    ...progress.failures,
    ...ends.flatMap((end) => (end.kind === 'failed' ? [end.error] : [])),
  ];
  const late = ends.flatMap((end) => (end.kind === 'late' ? [end.message] : []));
  const held = ends.flatMap((end) => (end.kind === 'held' ? [end.message] : []));
  const isDone = failures.length === 0 && late.length === 0;
  const isChanged = action !== 'keep' || restarted.length > 0;
  const outcome: TargetOutcome = run.dryRun
    ? 'planned'
    : !isDone
      ? 'pending'
      : isChanged
        ? 'delivered'
        : 'unchanged';
  const notes = [...failures.map(describeError), ...late, ...held, ...warnings];
  return {
    step: run.dryRun ? job.step : isDone ? 'rolled-out' : 'applied',
    failures,
    report: {
      certificate: job.delivery.certificate,
      target: nameTarget(job.target),
      outcome,
      action,
      restarted,
      message: [describeAction(action, restarted, job, run.dryRun ?? false), ...notes].join('; '),
    },
  };
}

const done: Readonly<Record<SecretPlan['action'], readonly [string, string]>> = {
  create: ['Secret created', 'would create the Secret'],
  apply: ['Secret updated', 'would update the Secret'],
  replace: ['Secret deleted and made again', 'would delete the Secret and make it again'],
  keep: ['Secret up to date', 'Secret up to date'],
  refuse: ['refused', 'would refuse'],
};

function describeAction(
  action: SecretPlan['action'],
  restarted: readonly string[],
  { target }: Job,
  dryRun: boolean,
): string {
  const secret = done[action][dryRun ? 1 : 0];
  if (target.restart === 'none' || target.restart.length === 0) return `${secret}, restart: none`;
  if (restarted.length === 0) return `${secret}, nothing to restart`;
  return `${secret}, ${dryRun ? 'would restart' : 'restarted'} ${restarted.join(', ')}`;
}

function isUnreachable(error: Error): boolean {
  return error instanceof ClusterError && error.code === 'Unreachable';
}

function asError(reason: unknown): Error {
  return toError(reason);
}
