// Takes a version back at one target: freezes it, applies the previous one and restarts the workloads.

import { trimFreeze } from '../../policy/delivery/freeze.ts';
import { nameTarget } from '../../policy/delivery/secret-plan.ts';
import { findStuckPods } from '../../policy/kubernetes/pods.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { Freeze } from '../../state/delivery.ts';
import type { Job, JobResult } from '../invocation.ts';
import type { ReturnPlan } from '../plan/target-plan.ts';
import { describeReturn } from '../progress.ts';
import { describeUndelivered, type RolloutEnd } from '../results.ts';
import { applySecret } from './apply.ts';
import type { ClusterContext } from './context.ts';
import { findLastGood, planReturnTo } from './observe.ts';
import { awaitRollouts } from './rollouts.ts';
import { nameRestarted, type StartedRollout, startWave } from './wave.ts';

/** How long rollouts that an earlier invocation took back are awaited. */
const shortWaitMs = 30_000;

/** Rolls back a version that failed at a target. Writes the freeze to the certificate's tags first: if this
 *  invocation stops here, the next one continues the rollback instead of the delivery.
 *  @param reason How it failed, in one line.
 *  @throws StoreError if the freeze cannot be written. Nothing was changed then. */
export async function rollBack(job: Job, reason: string, context: ClusterContext): Promise<JobResult> {
  const { delivery, target } = job;
  const { ports, invocation, takenBack } = context;
  takenBack.add(delivery.version);
  const freeze: Freeze = { version: delivery.version, target: nameTarget(target), reason };
  const failure = new ClusterError('RolloutFailed', `${nameTarget(target)}: ${reason}`);
  await ports.store.record(delivery.certificate, { freeze: trimFreeze(freeze) }, invocation.cleanUpSignal);
  try {
    const lastGood = await findLastGood(job, { isSeen: true }, context);
    const result = await goBack(job, freeze, lastGood, context);
    const refusals = 'error' in lastGood && lastGood.error ? [lastGood.error] : [];
    return { ...result, failures: [failure, ...refusals, ...result.failures] };
  } catch (cause) {
    const error = toError(cause);
    const message = `${reason}; putting the previous version back failed (${describeError(error)}); the next run tries it again`;
    return describeUndelivered(job, 'held', message, { phase: 'none', failures: [failure, error] });
  }
}

/** Restarts the workloads of a target whose Secret has the previous version again, and watches them as on the
 *  way forth. May be called again. Never rejects. */
export async function finishReturn(plan: ReturnPlan, context: ClusterContext): Promise<JobResult> {
  const { lists, ports, invocation } = context;
  const { rollouts, failures } = await startWave(plan.waves.flat(), plan.job, context, { way: 'back' });
  const { clock } = ports;
  // What an earlier invocation has put back is not awaited for minutes in each pass.
  const untilMs = rollouts.some(({ isNew }) => isNew) ? undefined : clock.now().getTime() + shortWaitMs;
  const ends = await awaitRollouts(rollouts, lists, { clock, signal: invocation.signal, untilMs });
  const stuck = await findStuck(rollouts, ends, context);
  return describeReturn(plan, {
    restarted: nameRestarted(rollouts, ends),
    failures: [
      ...plan.failures,
      ...failures,
      ...ends.flatMap((end) => (end.kind === 'failed' ? [end.error] : [])),
    ],
    notes: [
      ...ends.flatMap((end) => (end.kind === 'late' || end.kind === 'paused' ? [end.message] : [])),
      ...stuck,
    ],
  });
}

/** One sentence for each pod that keeps the version that failed, because Kubernetes does not replace it: a
 *  StatefulSet waits for a pod that is not ready, even if its template is the former one again. */
async function findStuck(
  rollouts: readonly StartedRollout[],
  ends: readonly RolloutEnd[],
  { lists }: ClusterContext,
): Promise<readonly string[]> {
  const open = rollouts.filter(
    ({ workload }, index) => workload.kind === 'StatefulSet' && ends[index]?.kind !== 'complete',
  );
  const found = open.map(async ({ namespace, workload: { kind, name } }) => {
    const [pods, workloads] = await Promise.all([lists.renewPods(namespace), lists.get(namespace, [kind])]);
    const workload = workloads.find((candidate) => candidate.name === name);
    return (workload ? findStuckPods(workload, pods) : []).map(
      (pod) =>
        `pod ${pod} keeps the version that failed, and its StatefulSet does not replace it: run kubectl delete pod ${pod} -n ${namespace}`,
    );
  });
  return (await Promise.all(found.map((sentences) => sentences.catch(() => [])))).flat();
}

async function goBack(
  ...[job, freeze, lastGood, context]: Parameters<typeof planReturnTo>
): Promise<JobResult> {
  const plan = await planReturnTo(job, freeze, lastGood, context);
  const applied = plan.kind === 'return' ? await applySecret(plan, context) : plan;
  if (applied.kind === 'leave') return applied.result;
  if (applied.kind === 'return') return finishReturn(applied, context);
  throw new Error(`a return to ${nameTarget(job.target)} was planned as a delivery`);
}
