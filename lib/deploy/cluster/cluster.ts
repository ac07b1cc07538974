// One cluster: observes and plans its targets over one connection, portion by portion, and carries the plans
// out.

import { mapConcurrently, Slots } from '../../async/map-concurrently.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import { closedDestination, type Destination, type PrintPlan } from '../destination.ts';
import type { DeployInvocation, DeployPorts, Job, JobResult } from '../invocation.ts';
import { createLoadLastGood } from '../last-good.ts';
import { groupByWorkload, splitIntoPortions } from '../plan/groups.ts';
import type { TargetPlan } from '../plan/target-plan.ts';
import { describePlan } from '../progress.ts';
import { describeFailure } from '../results.ts';
import type { ClusterContext } from './context.ts';
import { applyTogether, deliverGroup, isWatched } from './group.ts';
import { observeAndPlan } from './observe.ts';
import { Reach } from './reach.ts';
import { Restarts } from './restarts.ts';
import { KubernetesSecretLists } from './secret-lists.ts';
import { finishTogether, type StartedTarget } from './together.ts';
import { WorkloadLists } from './workload-lists.ts';

/** Targets worked on at once in one cluster, unless the inventory sets `concurrency`. */
const defaultConcurrency = 8;
/** Groups whose rollouts are watched at once: most of their time is waiting. */
const mostWatched = 32;

/** Connects to the cluster. Never rejects. The caller closes it. */
export async function openCluster(
  name: string,
  jobs: readonly Job[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<Destination> {
  const { signal } = invocation;
  let cluster: Cluster;
  try {
    cluster = await ports.connect(name, signal);
  } catch (error) {
    return closedDestination(jobs.map((job) => describeFailure(job, toError(error), invocation)));
  }
  const context: ClusterContext = {
    cluster,
    lists: new WorkloadLists(cluster, ports.log, signal),
    secrets: new KubernetesSecretLists(cluster, jobs, ports.log, signal),
    restarts: new Restarts(cluster, ports.clock, signal),
    takenBack: new Set(),
    concurrency: invocation.inventory.clusters[name]?.concurrency ?? defaultConcurrency,
    loadLastGood: createLoadLastGood(ports, invocation),
    ports,
    invocation,
  };
  return {
    plan: async () => (await planJobs(jobs, new Reach(context), context)).map(describePlan),
    carryOut: (print) => carryOut(jobs, print, context),
    close: () => cluster.close(),
  };
}

/** One plan for each job. What cannot be observed is left as it is. */
function planJobs(
  jobs: readonly Job[],
  reach: Reach,
  context: ClusterContext,
): Promise<readonly TargetPlan[]> {
  return mapConcurrently(jobs, context.concurrency, (job) =>
    reach.try(job, () => observeAndPlan(job, context)),
  );
}

/** Plans and carries out one portion after the other. Groups that are watched, and the rollouts of all
 *  others, end meanwhile. One result for each job. */
async function carryOut(
  jobs: readonly Job[],
  print: PrintPlan,
  context: ClusterContext,
): Promise<readonly JobResult[]> {
  const [planning, applying] = [new Reach(context), new Reach(context)];
  const slots = new Slots(mostWatched);
  const watched: Promise<readonly (readonly [Job, JobResult])[]>[] = [];
  const started: StartedTarget[] = [];
  const results = new Map<Job, JobResult>();
  for (const portion of splitIntoPortions(jobs)) {
    const plans = await planJobs(portion, planning, context);
    print(plans.map(describePlan));
    for (const plan of plans) if (plan.kind === 'leave') results.set(plan.job, plan.result);
    const groups = groupByWorkload(plans.filter((plan) => plan.kind !== 'leave'));
    for (const group of groups.filter((plans) => plans.some(isWatched))) {
      watched.push(slots.use(() => deliverGroup(group, applying, context)));
    }
    const others = groups.filter((plans) => !plans.some(isWatched)).flat();
    const applied = await applyTogether(others, applying, context);
    started.push(...applied.started);
    for (const { job, result } of applied.left) results.set(job, result);
  }
  const [together, separate] = await Promise.all([finishTogether(started, context), Promise.all(watched)]);
  for (const [job, result] of [...together, ...separate.flat()]) results.set(job, result);
  const missing = new Error('the target was not worked on');
  return jobs.map((job) => results.get(job) ?? describeFailure(job, missing, context.invocation));
}
