// Delivers to a target in steps: the canary, then wave after wave. Where a step does harm, the version is taken back. All
// that a later run must know to go on is in the cluster.

import type { RolloutSpec } from '../../certificate/spec.ts';
import { nameSome } from '../../policy/bounds.ts';
import { adviseOthers, planRestarts, type RestartPlan } from '../../policy/delivery/restarts.ts';
import { nameTarget } from '../../policy/delivery/secret.ts';
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
import { describeProgress, describeStay } from '../results.ts';
import { rollBack } from './rollback.ts';
import type { RolloutEnd } from './rollouts.ts';
import { describeCaution, kindsOf, startRollouts, updateSecret } from './target.ts';
import { lookBefore, watchStep } from './watch.ts';

/** Begins where an earlier run has ended.
 *  @throws ClusterError, StoreError where the target cannot be worked on; a later run goes on. */
export async function deliverInSteps(
  job: Job,
  rollout: RolloutSpec,
  context: ClusterContext,
): Promise<JobResult> {
  const { target } = job;
  const { cluster, lists, ports, invocation } = context;
  const timing = await judgeStart(job, rollout, context);
  if (timing.kind === 'closed') return describeStay(job, 'waiting', describeWait(timing));
  const isRestarted = target.restart !== 'none';
  const kinds = kindsOf(target);
  const [workloads, others] = await Promise.all([
    isRestarted ? lists.get(target.namespace, kinds) : [],
    isRestarted && !kinds ? lists.others(target.namespace) : [],
  ]);
  let steps = findSteps(job, rollout, workloads);
  const warnings = [
    ...(timing.kind === 'urgent' ? ['it does not wait for its window: what is served ends soon'] : []),
    ...(invocation.dryRun ? [describeSteps(steps)] : []),
    ...steps.flat().flatMap(describeCaution),
    ...adviseOthers(target, others),
  ];
  const isBegun = job.step !== 'none' || steps.flat().some(({ action: next }) => next === 'await');
  const before = isBegun || invocation.dryRun ? undefined : await lookBefore(job, rollout, context);
  const update = await updateSecret(job, cluster, { ...ports, ...invocation });
  const { action } = update;
  warnings.push(...update.warnings);
  const since = await findArrival(job, steps, context);
  const restarted: string[] = [];
  const ends: RolloutEnd[] = [];
  const describe = (failures: readonly Error[] = []) =>
    describeProgress({ job, action, restarted, rollouts: [], warnings, failures }, ends, invocation);
  for (let index = 0; index < steps.length; index += 1) {
    const isLast = index === steps.length - 1;
    const plans = dated(steps[index] ?? [], job, ports.clock.now());
    const started = await startRollouts(plans, target, cluster, invocation);
    restarted.push(...started.restarted);
    if (started.failures.length > 0) return describe(started.failures);
    if (invocation.dryRun) continue;
    const end = await watchStep(started.rollouts, { job, rollout, isLast, before, since }, context);
    if (end.kind === 'harmful') return rollBack(job, end.reason, context);
    ends.push(...end.ends);
    if (end.kind === 'unfinished' || isLast) return describe();
    steps = findSteps(job, rollout, await lists.renew(target.namespace, kinds));
    // Somebody took the certificate back meanwhile, or there are new workloads: a later run begins with those.
    if (
      steps
        .slice(0, index + 1)
        .flat()
        .some(({ action: left }) => left === 'restart')
    ) {
      ends.push({ kind: 'late', message: 'its workloads were changed meanwhile' });
      return describe();
    }
  }
  return describe();
}

/** A rollout that has begun goes on to its end, and a Secret that is missing is waited for by its pods: neither needs a
 *  window. */
async function judgeStart(
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

/** When an earlier run brought the version, where no workload tells. */
async function findArrival(
  { target, step }: Job,
  steps: readonly (readonly RestartPlan[])[],
  { cluster, invocation }: ClusterContext,
): Promise<Date | undefined> {
  if (step === 'none' || steps.flat().length > 0) return undefined;
  return (await cluster.readSecret(target.namespace, target.secret, invocation.signal))?.appliedAt;
}

/** @throws ClusterError `NotFound` where the canary takes no part: nothing has been touched then. */
function findSteps(
  { target, delivery }: Job,
  rollout: RolloutSpec,
  workloads: readonly Workload[],
): readonly (readonly RestartPlan[])[] {
  const planned = planWaves(planRestarts(target, delivery.fingerprint, workloads), rollout);
  if ('waves' in planned) return planned.waves;
  const canary = nameWorkload(planned.missing);
  const message = `the canary ${canary} of ${nameTarget(target)} is none of the workloads that would be restarted: correct the target's "rollout" or "restart"`;
  throw new ClusterError('NotFound', message);
}

/** With the beginning of their rollouts, by which a later run knows their deadline. One that is there already, and of which
 *  nothing was noted, may have been over for months: it gets its time anew. */
function dated(plans: readonly RestartPlan[], { step }: Job, since: Date): readonly RestartPlan[] {
  return plans.map((plan) => {
    if (plan.action === 'restart') return { ...plan, mark: { ...plan.mark, since } };
    if (plan.action !== 'await' || step !== 'none') return plan;
    return { ...plan, workload: { ...plan.workload, rolloutSince: since } };
  });
}

function describeSteps(steps: readonly (readonly RestartPlan[])[]): string {
  const names = steps.map((plans) => nameSome(plans.map(({ workload }) => nameWorkload(workload))));
  return `in ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}: ${names.join(', then ')}`;
}

function describeWait({ until }: Extract<Timing, { kind: 'closed' }>): string {
  return until ? `waits for its window until ${until.toISOString()}` : 'waits for its window';
}
