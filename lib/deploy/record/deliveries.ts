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

/** Writes the delivery tags if one changes. An invocation for some clusters
 *  merges its results into the tag, reads it again to see that they stayed, and stops once a newer version is
 *  current.
 *  @throws StoreError if the tags cannot be read or written. */
export async function recordDeliveries(
  selected: CertificateToDeliver,
  results: ReadonlyMap<AnyJob, JobResult>,
  { store, clock }: Pick<DeployPorts, 'store' | 'clock'>,
  { clusters, delegatedClusters, cleanUpSignal }: DeployInvocation,
): Promise<void> {
  const { name, version } = selected;
  const now = clock.now();
  const { imported } = selected;
  const arns = selected.jobs.filter(isForAcm).flatMap((job) => results.get(job)?.arn ?? job.arn ?? []);
  const acm = arns.length > 0 && !isSameValue(arns.toSorted(), imported) ? { acm: arns.toSorted() } : {};
  const merge = (recorded: DeliveryRecord | undefined) => mergeDeliveries(recorded, selected, results, now);
  if (isSameValue(merge(selected.recorded), selected.recorded) && !acm.acm) return;
  if (!clusters && !delegatedClusters) {
    return store.record(name, { deployed: merge(selected.recorded), ...acm }, cleanUpSignal);
  }
  if (acm.acm) await store.record(name, acm, cleanUpSignal);
  for (let attempt = 0; ; attempt += 1) {
    const entry = await store.describe(name, cleanUpSignal);
    const recorded = entry?.state.deployed;
    if (entry?.current !== version || isSameValue(merge(recorded), recorded) || attempt === attempts) return;
    await store.record(name, { deployed: merge(recorded) }, cleanUpSignal);
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
