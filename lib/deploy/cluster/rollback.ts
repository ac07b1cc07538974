// Takes a version back: holds it, puts the last good one in its place, and restarts what had the failed one.

import { nameSome } from '../../policy/bounds.ts';
import { adviseHold, formatHold, type Hold } from '../../policy/delivery/freeze.ts';
import { planReturns } from '../../policy/delivery/restarts.ts';
import { nameTarget } from '../../policy/delivery/secret.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { describeError, toError } from '../../ports/errors.ts';
import { findLastGood } from '../last-good.ts';
import { describeStay } from '../results.ts';
import type { ClusterPass, Job, JobResult, LastGood } from '../run.ts';
import { awaitRollouts } from './rollouts.ts';
import { kindsOf, startRollouts, updateSecret } from './target.ts';

/** Gives up a version that failed at a target. The hold is written down first: should this run end here, the next one
 *  goes on with the return and not with the delivery.
 *  @throws StoreError where the hold cannot be written; then nothing was changed. */
export async function rollBack(job: Job, reason: string, pass: ClusterPass): Promise<JobResult> {
  const { delivery, target } = job;
  const { ports, run } = pass;
  const hold: Hold = { version: delivery.version, target: nameTarget(target), reason };
  const failure = new ClusterError('RolloutFailed', `${nameTarget(target)}: ${reason}`);
  await ports.store.record(delivery.certificate, { deliveryHeld: formatHold(hold) }, run.cleanUpSignal);
  try {
    const lastGood = await findLastGood(job, true, pass);
    const result = await putBack(job, hold, lastGood, pass);
    const refusals = 'error' in lastGood && lastGood.error ? [lastGood.error] : [];
    return { ...result, failures: [failure, ...refusals, ...result.failures] };
  } catch (thrown) {
    const error = toError(thrown);
    const message = `${reason}; the next run puts the version before in its place, now that failed: ${describeError(error)}`;
    return describeStay(job, 'held', message, { step: 'none', failures: [failure, error] });
  }
}

/** Gives a target of a held version the version before, as far as it has not got it yet. May be done again.
 *  @throws StoreError, ClusterError where that does not come to its end. */
export async function putBack(
  job: Job,
  hold: Hold,
  lastGood: LastGood,
  pass: ClusterPass,
): Promise<JobResult> {
  const { delivery, target } = job;
  const { cluster, lists, ports, run } = pass;
  const advice = adviseHold(delivery.certificate);
  if ('refusal' in lastGood) {
    const message = `${hold.reason}; the Secret stays as it is, because the version before cannot take its place: ${lastGood.refusal}; ${advice}`;
    return describeStay(job, 'held', message, { step: 'none' });
  }
  const { action } = await updateSecret(job, cluster, { ...ports, ...run }, lastGood.delivery);
  const workloads = target.restart === 'none' ? [] : await lists.renew(target.namespace, kindsOf(target));
  const before = lastGood.delivery.fingerprint;
  const plans = planReturns(target, delivery.fingerprint, before, workloads);
  const { restarted, rollouts, failures } = await startRollouts(plans, target, cluster, run);
  const ends = await awaitRollouts(rollouts, lists, ports.clock, run.signal);
  const failed = ends.flatMap((end) => (end.kind === 'failed' ? [end.error] : []));
  const notes = ends.flatMap((end) => (end.kind === 'late' || end.kind === 'held' ? [end.message] : []));
  const back = `the version before (${lastGood.delivery.version}) ${run.dryRun ? 'would be' : 'is'} in its place${restarted.length > 0 ? `, restarted ${nameSome(restarted)}` : ''}`;
  const troubles = [...failures, ...failed];
  const message = [hold.reason, back, ...troubles.map(describeError), ...notes, advice].join('; ');
  return describeStay(job, 'held', message, { step: 'none', action, restarted, failures: troubles });
}
