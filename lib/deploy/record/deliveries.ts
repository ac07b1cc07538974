// Notes on a certificate's tags how far its delivery has come, beside passes that note the same for other clusters.
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

/** How often a note is written again that another pass has written over. */
const attempts = 4;

/** Writes the tags where one would change, and nothing in a dry run. A pass that shares the certificate with others keeps
 *  what they have written and looks whether its own note stayed; once there is a newer version it notes nothing of its own.
 *  @throws StoreError */
export async function recordDeliveries(
  selected: CertificateToDeliver,
  results: ReadonlyMap<AnyJob, JobResult>,
  { store, clock }: Pick<DeployPorts, 'store' | 'clock'>,
  { dryRun, clusters, delegatedClusters, cleanUpSignal }: DeployInvocation,
): Promise<void> {
  const { name, version } = selected;
  const now = clock.now();
  const { imported } = selected;
  const arns = selected.jobs.filter(isForAcm).flatMap((job) => results.get(job)?.arn ?? job.arn ?? []);
  const acm = arns.length > 0 && !isSameValue(arns.toSorted(), imported) ? { acm: arns.toSorted() } : {};
  const merge = (recorded: DeliveryRecord | undefined) => mergeDeliveries(recorded, selected, results, now);
  if (dryRun || (isSameValue(merge(selected.recorded), selected.recorded) && !acm.acm)) return;
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

/** What is recorded, with the results of this pass in it. Over itself it stays the same. */
function mergeDeliveries(
  recorded: DeliveryRecord | undefined,
  { version, jobs, recorded: known, retry }: CertificateToDeliver,
  results: ReadonlyMap<AnyJob, JobResult>,
  now: Date,
): DeliveryRecord {
  const targets = jobs.map(({ target }) => target);
  const before = phasesOf(recorded, version, targets);
  const steps = jobs.map(
    (job, index) =>
      results.get(job)?.step ??
      (isSameValue(recorded, known) ? job.step : before[index]) ??
      ('none' as const),
  );
  const hasFailed = jobs.some((job) => {
    const { step, failures } = results.get(job) ?? { step: job.step, failures: [] };
    return step === 'none' && failures.length > 0;
  });
  const other = retryOf(recorded, version, targets);
  const own = hasFailed ? delay(retry, now) : undefined;
  const later = own && own.failures > (other?.failures ?? 0) ? own : other;
  return describeProgress(version, targets, steps, steps.includes('none') ? later : undefined);
}

function delay(before: DeliveryRetry | undefined, now: Date): DeliveryRetry {
  const failures = (before?.failures ?? 0) + 1;
  return { failures, after: nextDelivery({ failures, now }) };
}
