// Writes to a certificate's tags how far each target is, while invocations for other clusters do the same.
import { describeProgress, phasesOf, retryOf } from '../../policy/delivery/progress.ts';
import { nextDelivery } from '../../policy/issuance/backoff.ts';
import type { DeliveryRecord, DeliveryRetry } from '../../state/delivery.ts';
import { isSameValue } from '../../state/same.ts';
import {
  type AnyJob,
  type DeployInvocation,
  type DeployPorts,
  isForAcm,
  type JobResult,
} from '../invocation.ts';
import type { CertificateToDeliver } from '../plan/selected.ts';

/** How often the tag is written again after another invocation has overwritten it. */
const attempts = 4;

/** Whether a record that makes a delivery complete is written. `withhold`: not yet, because others are to be
 *  told first, so that a crash in between loses no event. */
export type CompletionWriting = 'write' | 'withhold';

/** Writes the delivery tags if one changes. An invocation for some clusters
 *  merges its results into the tag, reads it again to see that they stayed, and stops once a newer version is
 *  current. Returns `withheld` for a record that makes the delivery complete and was not written.
 *  @throws StoreError if the tags cannot be read or written. */
export async function recordDeliveries(
  selected: CertificateToDeliver,
  results: ReadonlyMap<AnyJob, JobResult>,
  { store, clock, completion }: Pick<DeployPorts, 'store' | 'clock'> & { completion: CompletionWriting },
  { clusters, delegatedClusters, cleanUpSignal }: DeployInvocation,
): Promise<'recorded' | 'withheld'> {
  const { name, version } = selected;
  const now = clock.now();
  const { imported } = selected;
  const arns = selected.jobs.filter(isForAcm).flatMap((job) => results.get(job)?.arn ?? job.arn ?? []);
  const acm = arns.length > 0 && !isSameValue(arns.toSorted(), imported) ? { acm: arns.toSorted() } : {};
  const merge = (recorded: DeliveryRecord | undefined) => mergeDeliveries(recorded, selected, results, now);
  const isWithheld = (merged: DeliveryRecord) =>
    completion === 'withhold' &&
    merged.phases.every((phase) => phase === 'rolled-out') &&
    !selected.jobs.some(({ freeze }) => freeze);
  const own = merge(selected.recorded);
  if (isSameValue(own, selected.recorded) && !acm.acm) return 'recorded';
  if (!clusters && !delegatedClusters) {
    const isOpen = !isSameValue(own, selected.recorded) && isWithheld(own);
    if (!isOpen || acm.acm)
      await store.record(name, { ...(isOpen ? {} : { deployed: own }), ...acm }, cleanUpSignal);
    return isOpen ? 'withheld' : 'recorded';
  }
  if (acm.acm) await store.record(name, acm, cleanUpSignal);
  for (let attempt = 0; ; attempt += 1) {
    const entry = await store.describe(name, cleanUpSignal);
    const recorded = entry?.state.deployed;
    const merged = merge(recorded);
    if (entry?.current !== version || isSameValue(merged, recorded) || attempt === attempts)
      return 'recorded';
    if (isWithheld(merged)) return 'withheld';
    await store.record(name, { deployed: merged }, cleanUpSignal);
  }
}

/** The delivery record with the results of this invocation in it. Merging twice gives the same record. */
function mergeDeliveries(
  recorded: DeliveryRecord | undefined,
  { version, jobs, recorded: known, retry }: CertificateToDeliver,
  results: ReadonlyMap<AnyJob, JobResult>,
  now: Date,
): DeliveryRecord {
  const targets = jobs.map(({ target }) => target);
  const before = phasesOf(recorded, version, targets);
  const phases = jobs.map(
    (job, index) =>
      results.get(job)?.phase ??
      (isSameValue(recorded, known) ? job.phase : before[index]) ??
      ('none' as const),
  );
  const hasFailed = jobs.some((job) => {
    const { phase, failures } = results.get(job) ?? { phase: job.phase, failures: [] };
    return phase === 'none' && failures.length > 0;
  });
  const other = retryOf(recorded, version, targets);
  const own = hasFailed ? delay(retry, now) : undefined;
  const later = own && own.failures > (other?.failures ?? 0) ? own : other;
  return describeProgress(version, targets, phases, phases.includes('none') ? later : undefined);
}

function delay(before: DeliveryRetry | undefined, now: Date): DeliveryRetry {
  const failures = (before?.failures ?? 0) + 1;
  return { failures, after: nextDelivery({ failures, now }) };
}
