// Delivers to a target in waves: the canary first, then the other workloads. A wave that does harm is rolled
// back. Everything that a later invocation needs to continue is in the cluster.

import type { RolloutSpec } from '../../certificate/rollout-spec.ts';
import { nameSome } from '../../policy/bounds.ts';
import { describeOtherUsers, planRestarts, type RestartPlan } from '../../policy/delivery/restarts.ts';
import { nameTarget } from '../../policy/delivery/secret-plan.ts';
import { planWaves } from '../../policy/delivery/waves.ts';
import { judgeTiming, type Timing } from '../../policy/delivery/windows.ts';
import {
  nameWorkload,
  readNotAfter,
  versionAnnotation,
  type Workload,
} from '../../policy/kubernetes/objects.ts';
import { ClusterError } from '../../ports/cluster.ts';
import type { ClusterContext, Job, JobResult } from '../invocation.ts';
import { describeProgress, describeUndelivered } from '../results.ts';
import { rollBack } from './rollback.ts';
import type { RolloutEnd } from './rollouts.ts';
import { describeCaution, kindsOf, startRollouts, updateSecret } from './target.ts';
import { probeBefore, watchWave } from './watch.ts';

/** Updates the Secret, then restarts the workloads wave by wave and watches each wave to its end. Continues
 *  where an earlier invocation stopped. Waits for a maintenance window first, if the rollout has any.
 *  @throws ClusterError, StoreError if the target cannot be worked on. A later invocation continues. */
export async function deliverInWaves(
  job: Job,
  rollout: RolloutSpec,
  context: ClusterContext,
): Promise<JobResult> {
  const { target } = job;
  const { cluster, lists, ports, invocation } = context;
  const timing = await judgeWindow(job, rollout, context);
  if (timing.kind === 'closed') return describeUndelivered(job, 'waiting', describeWait(timing));
  const isRestarted = target.restart !== 'none';
  const kinds = kindsOf(target);
  const [workloads, others] = await Promise.all([
    isRestarted ? lists.get(target.namespace, kinds) : [],
    isRestarted && !kinds ? lists.others(target.namespace) : [],
  ]);
  let waves = findWaves(job, rollout, workloads);
  const warnings = [
    ...(timing.kind === 'urgent'
      ? ['it does not wait for its window: the served certificate expires soon']
      : []),
    ...(invocation.dryRun ? [describeWaves(waves)] : []),
    ...waves.flat().flatMap(describeCaution),
    ...describeOtherUsers(target, others),
  ];
  const isBegun = job.phase !== 'none' || waves.flat().some((plan) => plan.action === 'await');
  const before = isBegun || invocation.dryRun ? undefined : await probeBefore(job, rollout, context);
  const update = await updateSecret(job, cluster, { ...ports, ...invocation });
  const { action } = update;
  warnings.push(...update.warnings);
  const since = await findAppliedAt(job, waves, context);
  const restarted: string[] = [];
  const ends: RolloutEnd[] = [];
  const describe = (failures: readonly Error[] = []) =>
    describeProgress({ job, action, restarted, rollouts: [], warnings, failures }, ends, invocation);
  for (let index = 0; index < waves.length; index += 1) {
    const isLast = index === waves.length - 1;
    const plans = dateRollouts(waves[index] ?? [], job, ports.clock.now());
    const started = await startRollouts(plans, target, cluster, invocation);
    restarted.push(...started.restarted);
    if (started.failures.length > 0) return describe(started.failures);
    if (invocation.dryRun) continue;
    const end = await watchWave(started.rollouts, { job, rollout, isLast, before, since }, context);
    if (end.kind === 'harmful') return rollBack(job, end.reason, context);
    ends.push(...end.ends);
    if (end.kind === 'unfinished' || isLast) return describe();
    waves = findWaves(job, rollout, await lists.renew(target.namespace, kinds));
    // A restarted workload lost its mark, or there are new workloads: a later invocation begins with those.
    if (
      waves
        .slice(0, index + 1)
        .flat()
        .some((plan) => plan.action === 'restart')
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

/** Whether the delivery may start now. A rollout that has begun always continues. A missing Secret never
 *  waits for a window: pods cannot start without it. */
async function judgeWindow(
  { target, delivery, facts }: Job,
  { windows }: RolloutSpec,
  { cluster, ports, invocation }: ClusterContext,
): Promise<Timing> {
  if (windows.length === 0) return { kind: 'open' };
  const found = await cluster.readSecret(target.namespace, target.secret, invocation.signal);
  if (!found || found.annotations[versionAnnotation] === delivery.version) return { kind: 'open' };
  return judgeTiming(windows, {
    servedUntil: readNotAfter(found),
    begin: facts.notBefore,
    now: ports.clock.now(),
  });
}

/** When an earlier invocation applied the version. Only needed, and only read, if no workload restarts. */
async function findAppliedAt(
  { target, phase }: Job,
  waves: readonly (readonly RestartPlan[])[],
  { cluster, invocation }: ClusterContext,
): Promise<Date | undefined> {
  if (phase === 'none' || waves.flat().length > 0) return undefined;
  return (await cluster.readSecret(target.namespace, target.secret, invocation.signal))?.appliedAt;
}

/** The restarts of the target, in waves.
 *  @throws ClusterError `NotFound` if the canary is none of its workloads. */
function findWaves(
  { target, delivery }: Job,
  rollout: RolloutSpec,
  workloads: readonly Workload[],
): readonly (readonly RestartPlan[])[] {
  const planned = planWaves(planRestarts(target, delivery.fingerprint, workloads), rollout);
  if ('waves' in planned) return planned.waves;
  const canary = nameWorkload(planned.missing);
  const message = `the canary ${canary} of ${nameTarget(target)} is none of the workloads to restart; correct the target's "rollout" or "restart"`;
  throw new ClusterError('NotFound', message);
}

/** Adds the start of each rollout, from which a later invocation computes its deadline. A rollout that is
 *  running already without a record of it may be months old: its time starts now. */
function dateRollouts(plans: readonly RestartPlan[], { phase }: Job, since: Date): readonly RestartPlan[] {
  return plans.map((plan) => {
    if (plan.action === 'restart') return { ...plan, mark: { ...plan.mark, since } };
    if (plan.action !== 'await' || phase !== 'none') return plan;
    return { ...plan, workload: { ...plan.workload, rolloutSince: since } };
  });
}

function describeWaves(waves: readonly (readonly RestartPlan[])[]): string {
  const names = waves.map((plans) => nameSome(plans.map(({ workload }) => nameWorkload(workload))));
  return `in ${waves.length} ${waves.length === 1 ? 'step' : 'steps'}: ${names.join(', then ')}`;
}

function describeWait({ until }: Extract<Timing, { kind: 'closed' }>): string {
  return until ? `waits for its window until ${until.toISOString()}` : 'waits for its window';
}
