// Restarts the workloads of all targets that are not watched, and waits for all of them at once.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import type { JobResult } from '../invocation.ts';
import { type DeliverPlan, deliveredBefore } from '../plan/target-plan.ts';
import { describeProgress } from '../progress.ts';
import type { ClusterContext } from './context.ts';
import { awaitRollouts, settleByHand } from './rollouts.ts';
import { nameRestarted, startWave } from './wave.ts';

/** One result for each target whose Secret is applied. Never rejects. */
export async function restartTogether(
  plans: readonly DeliverPlan[],
  context: ClusterContext,
): Promise<readonly (readonly [DeliverPlan, JobResult])[]> {
  const { concurrency, lists, ports, invocation } = context;
  const started = await mapConcurrently(plans, concurrency, async (plan) => ({
    plan,
    wave: await startWave(plan.waves.flat(), plan.job, context),
  }));
  const rollouts = started.flatMap(({ wave }) => wave.rollouts);
  const ends = await awaitRollouts(rollouts, lists, { clock: ports.clock, signal: invocation.signal });
  const endOf = new Map(rollouts.map((rollout, index) => [rollout, ends[index]]));
  return mapConcurrently(started, concurrency, async ({ plan, wave }) => {
    const awaited = wave.rollouts.flatMap((rollout) => endOf.get(rollout) ?? []);
    const own = await settleByHand(wave.rollouts, awaited, deliveredBefore(plan), lists);
    const result = describeProgress({
      plan,
      restarted: nameRestarted(wave.rollouts, own),
      ends: [...own, ...wave.ends],
      warnings: plan.warnings,
      failures: [...plan.failures, ...wave.failures],
    });
    return [plan, result] as const;
  });
}
