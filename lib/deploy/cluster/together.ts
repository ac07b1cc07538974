// Restarts the workloads of targets that are not watched, and waits for all of them at once.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import type { Job, JobResult } from '../invocation.ts';
import { type DeliverPlan, deliveredBefore } from '../plan/target-plan.ts';
import { describeProgress, type TargetProgress } from '../progress.ts';
import type { ClusterContext } from './context.ts';
import { awaitRollouts, settleByPods } from './rollouts.ts';
import { nameRestarted, type StartedWave, startWave, withoutLeft } from './wave.ts';

/** A target whose Secret is applied and whose restarts were started. It keeps nothing of the Secret. */
export interface StartedTarget extends Pick<TargetProgress, 'job' | 'action' | 'warnings' | 'failures'> {
  readonly wave: StartedWave;
  readonly deliveredAt: Date | undefined;
}

/** Starts all restarts of a target. Never rejects. */
export async function startTogether(plan: DeliverPlan, context: ClusterContext): Promise<StartedTarget> {
  const { job, work, warnings, failures } = plan;
  const wave = await startWave(plan.waves.flat(), job, context);
  const deliveredAt = deliveredBefore(plan);
  const { action } = work.plan;
  return { job, action, warnings: withoutLeft(warnings, wave.left), failures, wave, deliveredAt };
}

/** Waits for the rollouts of all targets. One job and its result for each. Never rejects. */
export async function finishTogether(
  started: readonly StartedTarget[],
  { concurrency, lists, ports, invocation }: ClusterContext,
): Promise<readonly (readonly [Job, JobResult])[]> {
  const rollouts = started.flatMap(({ wave }) => wave.rollouts);
  const ends = await awaitRollouts(rollouts, lists, { clock: ports.clock, signal: invocation.signal });
  const endOf = new Map(rollouts.map((rollout, index) => [rollout, ends[index]]));
  return mapConcurrently(started, concurrency, async ({ wave, deliveredAt, failures, ...target }) => {
    const awaited = wave.rollouts.flatMap((rollout) => endOf.get(rollout) ?? []);
    const own = await settleByPods(wave.rollouts, awaited, deliveredAt, lists);
    const result = describeProgress({
      ...target,
      restarted: nameRestarted(wave.rollouts, own),
      ends: [...own, ...wave.ends],
      failures: [...failures, ...wave.failures],
    });
    return [target.job, result] as const;
  });
}
