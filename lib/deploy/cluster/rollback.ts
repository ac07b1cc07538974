// Rolls a target back: freezes the failed version, applies the previous one and restarts the workloads.

import { nameSome } from '../../policy/bounds.ts';
import { adviseFreeze, trimFreeze } from '../../policy/delivery/freeze.ts';
import { planRollbackRestarts } from '../../policy/delivery/restarts.ts';
import { nameTarget } from '../../policy/delivery/secret-plan.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { Freeze } from '../../state/delivery.ts';
import type { ClusterContext, Job, JobResult, LastGood } from '../invocation.ts';
import { findLastGood } from '../last-good.ts';
import { describeUndelivered } from '../results.ts';
import { awaitRollouts } from './rollouts.ts';
import { kindsOf, startRollouts, updateSecret } from './target.ts';

/** Rolls back a version that failed at a target. Writes the freeze to the certificate's tags first: if this
 *  invocation stops here, the next one continues the rollback instead of the delivery.
 *  @param reason How it failed, in one line.
 *  @throws StoreError if the freeze cannot be written. Nothing was changed then. */
export async function rollBack(job: Job, reason: string, context: ClusterContext): Promise<JobResult> {
  const { delivery, target } = job;
  const { ports, invocation } = context;
  const freeze: Freeze = { version: delivery.version, target: nameTarget(target), reason };
  const failure = new ClusterError('RolloutFailed', `${nameTarget(target)}: ${reason}`);
  await ports.store.record(delivery.certificate, { freeze: trimFreeze(freeze) }, invocation.cleanUpSignal);
  try {
    const lastGood = await findLastGood(job, { isSeen: true }, context);
    const result = await putBack(job, freeze, lastGood, context);
    const refusals = 'error' in lastGood && lastGood.error ? [lastGood.error] : [];
    return { ...result, failures: [failure, ...refusals, ...result.failures] };
  } catch (cause) {
    const error = toError(cause);
    const message = `${reason}; putting the previous version back failed (${describeError(error)}); the next run tries it again`;
    return describeUndelivered(job, 'held', message, { phase: 'none', failures: [failure, error] });
  }
}

/** Applies the previous version to a target of a frozen version, and restarts the workloads that have the
 *  frozen one. Leaves the Secret unchanged if there is no usable previous version. May be called again.
 *  @throws StoreError if the store, or ClusterError if the cluster does not answer as needed. */
export async function putBack(
  job: Job,
  freeze: Freeze,
  lastGood: LastGood,
  context: ClusterContext,
): Promise<JobResult> {
  const { delivery, target } = job;
  const { cluster, lists, ports, invocation } = context;
  const advice = adviseFreeze(delivery.certificate);
  if ('refusal' in lastGood) {
    const message = `${freeze.reason}; the Secret stays as it is, because the previous version cannot be put back: ${lastGood.refusal}; ${advice}`;
    return describeUndelivered(job, 'held', message, { phase: 'none' });
  }
  const { action } = await updateSecret(job, cluster, { ...ports, ...invocation }, lastGood.delivery);
  const workloads = target.restart === 'none' ? [] : await lists.renew(target.namespace, kindsOf(target));
  const before = lastGood.delivery.fingerprint;
  const plans = planRollbackRestarts(target, delivery.fingerprint, before, workloads);
  const { restarted, rollouts, failures } = await startRollouts(plans, target, cluster, invocation);
  const ends = await awaitRollouts(rollouts, lists, { clock: ports.clock, signal: invocation.signal });
  const failed = ends.flatMap((end) => (end.kind === 'failed' ? [end.error] : []));
  const notes = ends.flatMap((end) => (end.kind === 'late' || end.kind === 'paused' ? [end.message] : []));
  const change = `the previous version (${lastGood.delivery.version}) ${invocation.dryRun ? 'would be' : 'is'} put back${restarted.length > 0 ? `, restarted ${nameSome(restarted)}` : ''}`;
  const errors = [...failures, ...failed];
  const message = [freeze.reason, change, ...errors.map(describeError), ...notes, advice].join('; ');
  return describeUndelivered(job, 'held', message, { phase: 'none', action, restarted, failures: errors });
}
