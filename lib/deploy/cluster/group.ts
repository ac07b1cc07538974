// Carries out plans that belong together: applies all their Secrets, then restarts the workloads.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { describeDrift } from '../../policy/delivery/drift.ts';
import { nameTarget } from '../../policy/delivery/secret-plan.ts';
import type { ProbeSummary } from '../../policy/serving/served.ts';
import { toError } from '../../ports/errors.ts';
import type { Job, JobResult } from '../invocation.ts';
import type { DeliverPlan, LeavePlan, ReturnPlan, TargetPlan } from '../plan/target-plan.ts';
import { describeFailure, describeUndelivered } from '../results.ts';
import { applySecret } from './apply.ts';
import type { ClusterContext } from './context.ts';
import { observeAndPlan } from './observe.ts';
import type { Reach } from './reach.ts';
import { finishReturn } from './rollback.ts';
import { finishTogether, type StartedTarget, startTogether } from './together.ts';
import { probeBefore } from './watch.ts';
import { deliverInWaves } from './waves.ts';

type Change = DeliverPlan | ReturnPlan;

/** Whether the plan is carried out step by step: in waves, or back to the previous version. */
export function isWatched(plan: Change): boolean {
  return plan.kind === 'return' || plan.rollout !== undefined;
}

/** Applies the Secrets of targets that are not watched and starts their restarts. `left`: those that could
 *  not be applied, or were planned again to be left. Never rejects. */
export async function applyTogether(
  plans: readonly Change[],
  reach: Reach,
  context: ClusterContext,
): Promise<{ readonly started: readonly StartedTarget[]; readonly left: readonly LeavePlan[] }> {
  const applied = await applyAll(plans, reach, context);
  const delivered = applied.filter((plan) => plan.kind === 'deliver');
  const started = await mapConcurrently(delivered, context.concurrency, (plan) =>
    startTogether(plan, context),
  );
  return { started, left: applied.filter((plan) => plan.kind === 'leave') };
}

/** Carries out plans of which at least one is watched. One result for each. Never rejects. */
export async function deliverGroup(
  group: readonly Change[],
  reach: Reach,
  context: ClusterContext,
): Promise<readonly (readonly [Job, JobResult])[]> {
  const before = new Map<Job, ProbeSummary | undefined>();
  const current = await mapConcurrently(group, context.concurrency, async (planned) => {
    const plan = await reach.try(planned.job, () => renewIfTimed(planned, context));
    if (plan.kind === 'deliver') before.set(plan.job, await probeBefore(plan, context));
    return plan;
  });
  const applied = await applyAll(current, reach, context);
  return Promise.all(
    applied.map(async (plan) => [plan.job, await finish(plan, before.get(plan.job), context)] as const),
  );
}

/** Plans a target with maintenance windows again: its window may have closed while it waited for its turn. A
 *  version that was taken back meanwhile is left to the next run. */
async function renewIfTimed(plan: Change, context: ClusterContext): Promise<TargetPlan> {
  const { job } = plan;
  if (plan.kind === 'deliver' && context.takenBack.has(job.delivery.version) && job.phase === 'none') {
    const message = 'this version has just failed at another target; the next run says what becomes of it';
    return { kind: 'leave', job, result: describeUndelivered(job, 'held', message) };
  }
  const isTimed = plan.kind === 'deliver' && plan.rollout !== undefined && plan.rollout.windows.length > 0;
  return isTimed ? observeAndPlan(plan.job, context) : plan;
}

async function applyAll(
  plans: readonly TargetPlan[],
  reach: Reach,
  context: ClusterContext,
): Promise<readonly TargetPlan[]> {
  const applied = await mapConcurrently(plans, context.concurrency, async (plan) =>
    plan.kind === 'leave' || plan.work.plan.action === 'keep'
      ? plan
      : reach.try(plan.job, () => applySecret(plan, context)),
  );
  for (const plan of applied) {
    if (plan.kind !== 'deliver') continue;
    context.restarts.expect(plan);
    logContest(plan, context);
  }
  return applied;
}

/** Tells of a Secret that somebody else keeps writing. */
function logContest({ job, work: { drift } }: DeliverPlan, { ports: { log } }: ClusterContext): void {
  if (!drift?.isContested) return;
  const fields = { certificate: job.delivery.certificate, target: nameTarget(job.target) };
  log.warn('Secret contested', { ...fields, problem: describeDrift(drift) });
}

async function finish(
  plan: TargetPlan,
  before: ProbeSummary | undefined,
  context: ClusterContext,
): Promise<JobResult> {
  const { job } = plan;
  try {
    if (plan.kind === 'leave') return plan.result;
    if (plan.kind === 'return') return await finishReturn(plan, context);
    if (plan.rollout) return await deliverInWaves(plan, plan.rollout, before, context);
    const [finished] = await finishTogether([await startTogether(plan, context)], context);
    return (
      finished?.[1] ?? describeFailure(job, new Error('the target was not worked on'), context.invocation)
    );
  } catch (error) {
    return describeFailure(job, toError(error), context.invocation);
  }
}
