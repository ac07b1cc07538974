// Finds what stops the deliveries of one certificate, to remember it on its tags.
import { isByHand, isImported } from '../../policy/delivery/freeze.ts';
import { nameDestination } from '../../policy/delivery/secret-plan.ts';
import { type FoundTrouble, isFailure, recordTrouble, waitingCode } from '../../policy/health/trouble.ts';
import { codeOf } from '../../ports/errors.ts';
import type { Trouble } from '../../state/health.ts';
import { type AnyJob, isForCluster, type JobResult } from '../invocation.ts';
import type { CertificateToDeliver } from '../plan/selected.ts';
import type { ClusterFindings } from './cluster-troubles.ts';

/** How an invocation ended: the result of each job, and what it found out of clusters. `noted`: the clusters
 *  whose trouble is recorded. */
export interface DeliveryResults {
  readonly results: ReadonlyMap<AnyJob, JobResult>;
  readonly clusters: ClusterFindings;
  readonly noted: ReadonlySet<string>;
}

/** What the tags are to say of a certificate; `undefined`: nothing stops it. A failure is kept until its
 *  target has the version, also over versions. The trouble of a target that is another invocation's stays,
 *  unless it only waits and this one has a failure. Merging twice gives the same.
 *  @param recorded What the tags say now. */
export function mergeProblem(
  recorded: Trouble | undefined,
  selected: CertificateToDeliver,
  ended: DeliveryResults,
  now: Date,
): Trouble | undefined {
  const found = findWorst(selected, ended);
  const related = recorded ? selected.jobs.filter((job) => isAbout(recorded, job)) : [];
  const own = related.filter((job) => selected.requested.includes(job));
  const isOthers = related.length > 0 && own.length === 0;
  if (found) {
    const isWorse = recorded !== undefined && isFailure(found) && !isFailure(recorded);
    return isOthers && !isWorse ? recorded : recordTrouble(found, recorded, now);
  }
  if (!recorded || isOthers) return recorded;
  return own.some((job) => isOpen(job, recorded, ended)) ? recorded : undefined;
}

/** The trouble of the worst target: one that a person must change, then one that failed, then one that waits
 *  for a person. */
function findWorst(
  { requested }: CertificateToDeliver,
  { results, clusters }: DeliveryResults,
): FoundTrouble | undefined {
  const due = requested.flatMap((job) => {
    const result = results.get(job);
    return result && isTold(job, result, clusters) ? [{ job, result }] : [];
  });
  const failed = due.filter(({ result }) => result.failures.length > 0);
  const worst =
    failed.find(({ result }) => result.report.outcome === 'refused') ??
    failed[0] ??
    due.find(({ result }) => result.asksPerson);
  if (!worst) return undefined;
  const { job, result } = worst;
  const codes = result.failures.map(codeOf);
  const code = codes.find((one) => one !== 'Unexpected') ?? codes[0] ?? waitingCode;
  return { code, cause: causeOf(job, clusters), words: result.report.message };
}

/** Whether the target does not have the version, or could not be looked at for a reason of its own: what was
 *  delivered there may be gone. A frozen version is told as such, and a cluster's trouble is noted once. */
function isTold(job: AnyJob, { phase, failures, report }: JobResult, clusters: ClusterFindings): boolean {
  if (report.outcome === 'held') return false;
  if (phase !== 'rolled-out') return true;
  return failures.length > 0 && causeOf(job, clusters) === targetCause(job);
}

function causeOf(job: AnyJob, clusters: ClusterFindings): string {
  const isClusters = isForCluster(job) && clusters.get(job.target.cluster);
  return isClusters ? clusterCause(job) : targetCause(job);
}

/** Whether `status` tells a failure of the job as long as it lasts, once the tags of its certificate are
 *  written. Not if a person froze the version: then it says that alone. */
export function becomesDegraded(job: AnyJob, { results, clusters, noted }: DeliveryResults): boolean {
  const { freeze } = job;
  if (freeze && (isByHand(freeze) || isImported(freeze))) return false;
  const isTakenBack = results.get(job)?.report.outcome === 'held';
  const isOwn = causeOf(job, clusters) === targetCause(job);
  return isTakenBack || isOwn || (isForCluster(job) && noted.has(job.target.cluster));
}

function clusterCause(job: AnyJob): string {
  return isForCluster(job) ? `cluster/${job.target.cluster}` : '';
}

function targetCause({ target, delivery }: AnyJob): string {
  return `target/${nameDestination(target, delivery.certificate)}`;
}

/** Whether the trouble is that of the job's target, or of its cluster. */
export function isAbout({ cause }: Trouble, job: AnyJob): boolean {
  return cause === targetCause(job) || cause === clusterCause(job);
}

/** Whether the trouble is that of the job's cluster. */
export function isAboutCluster({ cause }: Trouble, job: AnyJob): boolean {
  return isForCluster(job) && cause === clusterCause(job);
}

/** Whether the recorded trouble goes on at a target that did not fail this time. */
function isOpen(job: AnyJob, recorded: Trouble, { results, clusters }: DeliveryResults): boolean {
  const result = results.get(job);
  if ((result?.phase ?? job.phase) === 'rolled-out' || result?.report.outcome === 'held') return false;
  if (!result || result.isUntried) return true;
  const isReached = isForCluster(job) && clusters.get(job.target.cluster) === null;
  return isFailure(recorded) && !(isReached && recorded.cause === clusterCause(job));
}
