// One cluster: observes and plans all its targets over one connection, and carries the plans out.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import type { RolloutSpec } from '../../certificate/rollout-spec.ts';
import { describeDrift } from '../../policy/delivery/drift.ts';
import { nameTarget } from '../../policy/delivery/secret-plan.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import { closedDestination, type Destination } from '../destination.ts';
import type { DeployInvocation, DeployPorts, Job, JobResult } from '../invocation.ts';
import { createLoadLastGood } from '../last-good.ts';
import type { DeliverPlan, ReturnPlan, TargetPlan } from '../plan/target-plan.ts';
import { describePlan } from '../progress.ts';
import { describeFailure } from '../results.ts';
import { applySecret } from './apply.ts';
import type { ClusterContext } from './context.ts';
import { observeAndPlan } from './observe.ts';
import { Restarts } from './restarts.ts';
import { finishReturn } from './rollback.ts';
import { KubernetesSecretLists } from './secret-lists.ts';
import { restartTogether } from './together.ts';
import { type ProbesBefore, probeBefore } from './watch.ts';
import { deliverInWaves } from './waves.ts';
import { WorkloadLists } from './workload-lists.ts';

/** Targets worked on at once in one cluster, unless the inventory sets `concurrency`. */
const defaultConcurrency = 8;
/** Targets whose rollouts are watched at once: most of their time is waiting. */
const mostWatched = 32;

/** Connects to the cluster and plans each job; changes nothing. Never rejects. The caller closes it. */
export async function planCluster(
  name: string,
  jobs: readonly Job[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<Destination> {
  let cluster: Cluster;
  try {
    cluster = await ports.connect(name, invocation.signal);
  } catch (error) {
    return closedDestination(jobs.map((job) => describeFailure(job, toError(error), invocation)));
  }
  const { signal } = invocation;
  const context: ClusterContext = {
    cluster,
    lists: new WorkloadLists(cluster, ports.log, signal),
    secrets: new KubernetesSecretLists(cluster, jobs, ports.log, signal),
    restarts: new Restarts(cluster, ports.clock, signal),
    concurrency: invocation.inventory.clusters[name]?.concurrency ?? defaultConcurrency,
    loadLastGood: createLoadLastGood(ports, invocation),
    ports,
    invocation,
  };
  const plans = await planJobs(jobs, context);
  return {
    planned: plans.map(describePlan),
    carryOut: () => carryOut(plans, context),
    close: () => cluster.close(),
  };
}

async function planJobs(jobs: readonly Job[], context: ClusterContext): Promise<readonly TargetPlan[]> {
  const tasks = jobs.map((job) => ({ job, work: () => observeAndPlan(job, context) }));
  return tryEach(tasks, context);
}

/** One target, and what makes its plan. */
interface PlanTask {
  readonly job: Job;
  readonly work: () => Promise<TargetPlan>;
}

/** Does the tasks concurrently. What fails is a plan to leave the target as it is, with the failure. A
 *  cluster that cannot be reached for one target is not tried again for the others. */
async function tryEach(
  tasks: readonly PlanTask[],
  { concurrency, invocation }: ClusterContext,
): Promise<readonly TargetPlan[]> {
  let clusterError: Error | undefined;
  return mapConcurrently(tasks, concurrency, async ({ job, work }): Promise<TargetPlan> => {
    const leave = (error: Error): TargetPlan => {
      return { kind: 'leave', job, result: describeFailure(job, error, invocation) };
    };
    if (clusterError) return leave(clusterError);
    try {
      const plan = await work();
      const failures = plan.kind === 'leave' ? plan.result.failures : plan.failures;
      clusterError ??= failures.find(isAboutCluster);
      return plan;
    } catch (cause) {
      const error = toError(cause);
      if (isAboutCluster(error)) clusterError ??= error;
      return leave(error);
    }
  });
}

/** Whether the error concerns the whole cluster. Any other error concerns one target. */
function isAboutCluster(error: Error): boolean {
  return error instanceof ClusterError && ['Unreachable', 'SignInFailed', 'Unsupported'].includes(error.code);
}

/** Applies all Secrets first, so that a workload that uses several restarts once, and then restarts: what is
 *  not watched together, the others each in its waves. */
async function carryOut(
  plans: readonly TargetPlan[],
  context: ClusterContext,
): Promise<readonly JobResult[]> {
  const before = await probeBefore(plans, context);
  const tasks = plans.map((plan) => ({
    job: plan.job,
    work: async () => (plan.kind === 'leave' ? plan : applySecret(plan, context)),
  }));
  const applied = await tryEach(tasks, context);
  for (const plan of applied) {
    if (plan.kind !== 'deliver') continue;
    context.restarts.expect(plan);
    logContest(plan, context);
  }
  const unwatched = applied.filter((plan) => plan.kind === 'deliver').filter(({ rollout }) => !rollout);
  const watched = applied.filter((plan) => plan.kind !== 'leave').filter(isWatched);
  const [together, separate] = await Promise.all([
    restartTogether(unwatched, context),
    mapConcurrently(
      watched,
      mostWatched,
      async (plan) => [plan, await finish(plan, before, context)] as const,
    ),
  ]);
  const results = new Map<TargetPlan, JobResult>([...together, ...separate]);
  return applied.map((plan) => {
    const result = plan.kind === 'leave' ? plan.result : results.get(plan);
    return result ?? describeFailure(plan.job, new Error('the target was not worked on'), context.invocation);
  });
}

/** Tells of a Secret that somebody else keeps writing. */
function logContest({ job, work: { drift } }: DeliverPlan, { ports: { log } }: ClusterContext): void {
  if (!drift?.isContested) return;
  const fields = { certificate: job.delivery.certificate, target: nameTarget(job.target) };
  log.warn('Secret contested', { ...fields, problem: describeDrift(drift) });
}

type WatchedPlan = ReturnPlan | (DeliverPlan & { readonly rollout: RolloutSpec });

function isWatched(plan: DeliverPlan | ReturnPlan): plan is WatchedPlan {
  return plan.kind === 'return' || plan.rollout !== undefined;
}

/** Ends one target whose Secret is applied. Never rejects. */
async function finish(plan: WatchedPlan, before: ProbesBefore, context: ClusterContext): Promise<JobResult> {
  try {
    return plan.kind === 'return'
      ? await finishReturn(plan, context)
      : await deliverInWaves(plan, plan.rollout, before.get(plan.job), context);
  } catch (error) {
    return describeFailure(plan.job, toError(error), context.invocation);
  }
}
