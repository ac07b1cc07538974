// Writes to a certificate's tags how far each target is, while invocations for other clusters do the same.
import { addHoldings } from '../../policy/delivery/holdings.ts';
import { describeProgress, phasesOf, retryOf } from '../../policy/delivery/progress.ts';
import { nameDestination } from '../../policy/delivery/secret-plan.ts';
import { nextDelivery } from '../../policy/issuance/backoff.ts';
import type { DeliveryRecord, DeliveryRetry } from '../../state/delivery.ts';
import type { Trouble } from '../../state/health.ts';
import { isSameValue } from '../../state/same.ts';
import type { StateChange } from '../../state/state.ts';
import {
  type AnyJob,
  type DeployInvocation,
  type DeployPorts,
  isForAcm,
  type JobResult,
} from '../invocation.ts';
import type { CertificateToDeliver } from '../plan/selected.ts';
import { type DeliveryResults, mergeProblem } from './problem.ts';

/** Targets that are remembered by name. */
const mostPlaces = 3;
/** How often the tag is written again after another invocation has overwritten it. */
const attempts = 4;

/** Whether a record that makes a delivery complete is written. `withhold`: not yet, because others are to be
 *  told first, so that a crash in between loses no event. */
export type CompletionWriting = 'write' | 'withhold';

/** Writes the delivery tags if one changes. An invocation for some clusters
 *  merges its results into the tags, reads them again to see that they stayed, and stops once a newer version
 *  is current. Returns `withheld` for a record that makes the delivery complete and was not written.
 *  @throws StoreError if the tags cannot be read or written. */
export async function recordDeliveries(
  selected: CertificateToDeliver,
  ended: DeliveryResults,
  { store, clock, completion }: Pick<DeployPorts, 'store' | 'clock'> & { completion: CompletionWriting },
  { clusters, delegatedClusters, cleanUpSignal }: DeployInvocation,
): Promise<'recorded' | 'withheld'> {
  const { name, version, imported } = selected;
  const now = clock.now();
  const arns = selected.jobs.filter(isForAcm).flatMap((job) => ended.results.get(job)?.arn ?? job.arn ?? []);
  const acm = arns.length > 0 && !isSameValue(arns.toSorted(), imported) ? { acm: arns.toSorted() } : {};
  const changeOf = (recorded: Recorded) => findChange(recorded, selected, ended, now);
  const isWithheld = (change: DeliveryChange | undefined) =>
    completion === 'withhold' &&
    change?.deployed?.phases.every((phase) => phase === 'rolled-out') === true &&
    !selected.jobs.some(({ freeze }) => freeze);
  const { recorded, deliveredTo, problem } = selected;
  const own = changeOf({ deployed: recorded, deliveredTo, deliveryProblem: problem });
  if (!own && !acm.acm) return 'recorded';
  if (!clusters && !delegatedClusters) {
    const isOpen = isWithheld(own);
    if (!isOpen || acm.acm) await store.record(name, { ...(isOpen ? {} : own), ...acm }, cleanUpSignal);
    return isOpen ? 'withheld' : 'recorded';
  }
  if (acm.acm) await store.record(name, acm, cleanUpSignal);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const entry = await store.describe(name, cleanUpSignal);
    const missing = entry?.current === version ? changeOf(entry.state) : undefined;
    if (!missing) return 'recorded';
    if (isWithheld(missing)) return 'withheld';
    await store.record(name, missing, cleanUpSignal);
  }
  return 'recorded';
}

interface Recorded {
  readonly deployed?: DeliveryRecord | undefined;
  readonly deliveredTo?: readonly string[] | undefined;
  readonly deliveryProblem?: Trouble | undefined;
}

type DeliveryChange = Pick<StateChange, 'deployed' | 'deliveredTo' | 'deliveryProblem'>;

/** What is to be written over the recorded state; `undefined`: nothing. */
function findChange(
  { deployed, deliveredTo, deliveryProblem }: Recorded,
  selected: CertificateToDeliver,
  ended: DeliveryResults,
  now: Date,
): DeliveryChange | undefined {
  const merged = mergeDeliveries(deployed, selected, ended.results, now);
  const problem = mergeProblem(deliveryProblem, selected, ended, now);
  const change = {
    ...(isSameValue(merged, deployed)
      ? {}
      : { deployed: merged, ...namePlaces(merged, deliveredTo, selected) }),
    ...(problem === deliveryProblem ? {} : { deliveryProblem: problem ?? null }),
  };
  return Object.keys(change).length > 0 ? change : undefined;
}

/** The first targets that have a version, if that is not what the tags say. Written with the record only: an
 *  upgrade alone writes nothing. */
function namePlaces(
  { phases, holds }: DeliveryRecord,
  recorded: readonly string[] | undefined,
  { jobs, name }: CertificateToDeliver,
): Pick<StateChange, 'deliveredTo'> {
  const places = jobs
    .filter((_, index) => (phases[index] ?? 'none') !== 'none' || holds?.[index] !== undefined)
    .slice(0, mostPlaces)
    .map(({ target }) => nameDestination(target, name));
  if (isSameValue(places, recorded ?? [])) return {};
  return { deliveredTo: places.length > 0 ? places : null };
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
  const record = describeProgress(version, targets, phases, phases.includes('none') ? later : undefined);
  const notAfter = jobs[0]?.delivery.notAfter;
  if (!notAfter) return record;
  const returned = jobs.map((job) => results.get(job)?.returnedTo);
  const complete = addHoldings(record, recorded, { version, notAfter }, returned);
  // What an earlier version of Certrelay recorded is not written again for what it did not know.
  return recorded && !recorded.holds && isSameValue(record, recorded) ? recorded : complete;
}

function delay(before: DeliveryRetry | undefined, now: Date): DeliveryRetry {
  const failures = (before?.failures ?? 0) + 1;
  return { failures, after: nextDelivery({ failures, now }) };
}
