// Takes a version back: holds it, puts the last good one in its place, and restarts what had the failed one.

import { nameSome } from '../../policy/bounds.ts';
import { adviseFreeze, trimFreeze } from '../../policy/delivery/freeze.ts';
import { planReturns } from '../../policy/delivery/restarts.ts';
import { nameTarget } from '../../policy/delivery/secret.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { Freeze } from '../../state/delivery.ts';
import type { ClusterContext, Job, JobResult, LastGood } from '../invocation.ts';
import { findLastGood } from '../last-good.ts';
import { describeStay } from '../results.ts';
import { awaitRollouts } from './rollouts.ts';
import { kindsOf, startRollouts, updateSecret } from './target.ts';

/** Gives up a version that failed at a target. The hold is written down first: should this run end here, the next one
 *  goes on with the return and not with the delivery.
 *  @throws StoreError where the hold cannot be written; then nothing was changed. */
export async function rollBack(job: Job, reason: string, context: ClusterContext): Promise<JobResult> {
  const { delivery, target } = job;
  const { ports, invocation } = context;
  const freeze: Freeze = { version: delivery.version, target: nameTarget(target), reason };
  const failure = new ClusterError('RolloutFailed', `${nameTarget(target)}: ${reason}`);
  await ports.store.record(delivery.certificate, { freeze: trimFreeze(freeze) }, invocation.cleanUpSignal);
  try {
    const lastGood = await findLastGood(job, true, context);
    const result = await putBack(job, freeze, lastGood, context);
    const refusals = 'error' in lastGood && lastGood.error ? [lastGood.error] : [];
    return { ...result, failures: [failure, ...refusals, ...result.failures] };
  } catch (cause) {
    const error = toError(cause);
    const message = `${reason}; the next run puts the version before in its place, now that failed: ${describeError(error)}`;
    return describeStay(job, 'held', message, { step: 'none', failures: [failure, error] });
  }
}

/** Gives a target of a held version the version before, as far as it has not got it yet. May be done again.
 *  @throws StoreError, ClusterError where that does not come to its end. */
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
    const message = `${freeze.reason}; the Secret stays as it is, because the version before cannot take its place: ${lastGood.refusal}; ${advice}`;
    return describeStay(job, 'held', message, { step: 'none' });
  }
  const { action } = await updateSecret(job, cluster, { ...ports, ...invocation }, lastGood.delivery);
  const workloads = target.restart === 'none' ? [] : await lists.renew(target.namespace, kindsOf(target));
  const before = lastGood.delivery.fingerprint;
  const plans = planReturns(target, delivery.fingerprint, before, workloads);
  const { restarted, rollouts, failures } = await startRollouts(plans, target, cluster, invocation);
  const ends = await awaitRollouts(rollouts, lists, ports.clock, invocation.signal);
  const failed = ends.flatMap((end) => (end.kind === 'failed' ? [end.error] : []));
  const notes = ends.flatMap((end) => (end.kind === 'late' || end.kind === 'held' ? [end.message] : []));
  const back = `the version before (${lastGood.delivery.version}) ${invocation.dryRun ? 'would be' : 'is'} in its place${restarted.length > 0 ? `, restarted ${nameSome(restarted)}` : ''}`;
  const troubles = [...failures, ...failed];
  const message = [freeze.reason, back, ...troubles.map(describeError), ...notes, advice].join('; ');
  return describeStay(job, 'held', message, { step: 'none', action, restarted, failures: troubles });
}
