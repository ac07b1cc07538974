// Restarts the workloads of one target in waves: the canary first, then the others. A wave that does harm is
// rolled back. Everything that a later invocation needs to continue is in the cluster.

import type { RolloutSpec } from '../../certificate/rollout-spec.ts';
import type { RestartPlan } from '../../policy/delivery/restarts.ts';
import { describeUnproven } from '../../policy/delivery/waves.ts';
import { nameWorkload } from '../../policy/kubernetes/objects.ts';
import type { ProbeSummary } from '../../policy/serving/served.ts';
import type { Job, JobResult } from '../invocation.ts';
import {
  type DeliverPlan,
  deliveredBefore,
  findMissing,
  kindsOf,
  planWavesAgain,
} from '../plan/target-plan.ts';
import { describeProgress } from '../progress.ts';
import type { RolloutEnd } from '../results.ts';
import type { ClusterContext } from './context.ts';
import { rollBack } from './rollback.ts';
import { recallServed, rememberServed } from './served-before.ts';
import { watchWave } from './watch.ts';
import { nameRestarted, startWave, withoutLeft } from './wave.ts';

/** Goes through the waves of a target whose Secret is applied, and watches each to its end. Continues where
 *  an earlier invocation stopped.
 *  @param probed What was served before the first wave; absent if that had begun already.
 *  @throws ClusterError, StoreError if the target cannot be worked on. A later invocation continues. */
export async function deliverInWaves(
  plan: DeliverPlan,
  rollout: RolloutSpec,
  probed: ProbeSummary | undefined,
  context: ClusterContext,
): Promise<JobResult> {
  const { job, warnings } = plan;
  const { action } = plan.work.plan;
  const { lists, ports, restarts } = context;
  const deliveredAt = job.phase === 'none' ? undefined : deliveredBefore(plan);
  const before = probed ?? recallServed(job, plan.waves.flat());
  const restarted: string[] = [];
  const ends: RolloutEnd[] = [];
  const left: RestartPlan[] = [];
  const describe = (failures: readonly Error[] = []) =>
    describeProgress({
      job,
      action,
      restarted,
      ends,
      warnings: withoutLeft(warnings, left),
      failures,
    });
  let { waves } = plan;
  for (let index = 0; index < waves.length; index += 1) {
    const wave = dateRollouts(waves[index] ?? [], job, ports.clock.now());
    const isLast = index === waves.length - 1;
    const started = await startWave(wave, job, context, { served: rememberServed(before) });
    left.push(...started.left);
    const failures = [...started.failures, ...findMissing(job, wave)];
    if (failures.length > 0) {
      restarted.push(...nameRestarted(started.rollouts, []));
      return describe(failures);
    }
    const end = await watchWave(started.rollouts, { job, rollout, isLast, before, deliveredAt }, context);
    if (end.kind === 'harmful') {
      restarts.forget(plan);
      return rollBack(job, end.reason, context);
    }
    restarted.push(...nameRestarted(started.rollouts, end.ends));
    const unproven = isLast ? [] : describeUnproven(await updateWave(wave, job, context), rollout);
    ends.push(
      ...end.ends,
      ...started.ends,
      ...unproven.map((message) => ({ kind: 'paused' as const, message })),
    );
    const isOpen = started.ends.some(({ kind }) => kind !== 'complete');
    if (end.kind === 'unfinished' || isOpen || unproven.length > 0 || isLast) return describe();
    waves = planWavesAgain(plan, await lists.renew(job.target.namespace, kindsOf(job)));
    // A restarted workload lost its mark, or there are new workloads: a later invocation begins with those.
    if (
      waves
        .slice(0, index + 1)
        .flat()
        .some((restart) => restart.action === 'restart' && !isLeft(restart, left))
    ) {
      ends.push({
        kind: 'late',
        message: 'its workloads changed during the rollout; the next run continues',
      });
      return describe();
    }
  }
  return describe();
}

function isLeft({ workload }: RestartPlan, left: readonly RestartPlan[]): boolean {
  const name = nameWorkload(workload);
  return left.some((other) => nameWorkload(other.workload) === name);
}

/** The wave with its workloads as they were last listed. */
async function updateWave(
  wave: readonly RestartPlan[],
  job: Job,
  { lists }: ClusterContext,
): Promise<readonly RestartPlan[]> {
  const workloads = await lists.get(job.target.namespace, kindsOf(job));
  return wave.map((plan): RestartPlan => {
    const { kind, name } = plan.workload;
    const found = workloads.find((workload) => workload.kind === kind && workload.name === name);
    return found && plan.action !== 'missing' ? { ...plan, workload: found } : plan;
  });
}

/** A rollout that is running already without a record of when it began may be months old: its time starts
 *  now. */
function dateRollouts(plans: readonly RestartPlan[], { phase }: Job, since: Date): readonly RestartPlan[] {
  return plans.map((plan) => {
    if (plan.action !== 'await' || phase !== 'none') return plan;
    return { ...plan, workload: { ...plan.workload, rolloutSince: since } };
  });
}
