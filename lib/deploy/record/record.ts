// Ends an invocation: records and logs how far each certificate is, probes it, and makes its report.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { mostAnswerBytes, takeFitting } from '../../policy/bounds.ts';
import { nameDestination } from '../../policy/delivery/secret-plan.ts';
import { describeKept } from '../../policy/registration/grace.ts';
import { findRetirement } from '../../policy/retirement/retirement.ts';
import { asTold, describeError, errorOfPart, type PartError, wordsOf } from '../../ports/errors.ts';
import type {
  AnyJob,
  CertificateReport,
  DeployInvocation,
  DeployPorts,
  DeployReport,
  JobResult,
  TargetOutcome,
  TargetReport,
} from '../invocation.ts';
import { isRefused } from '../plan/allowance.ts';
import type { CertificateToDeliver, DeliverySelection } from '../plan/selected.ts';
import { isCompletedHere, recordCompletion } from './completion.ts';
import { type CompletionWriting, recordDeliveries } from './deliveries.ts';
import { recordLeftOut } from './left-out.ts';
import { becomesDegraded, type DeliveryResults } from './problem.ts';

/** AWS secrets written at once. */
const mostRecorded = 16;

/** Certificates probed at once. Each probe makes several handshakes at the same time. */
const mostProbed = 8;

/** Limits of the answer: certificates, targets, bytes. Lambda returns at most 6 MB. */
const mostListed = 2_000;
const mostTargetsListed = 10_000;
const mostCertificateBytes = mostAnswerBytes * 0.8;

/** One certificate's report entry and its errors. */
export interface RecordedCertificate {
  readonly report: CertificateReport;
  readonly failures: readonly PartError[];
}

/** Records each selected certificate and makes its report entry. One result for each selection, in order. All
 *  tags are written before the first probe, because probes take longest and may be cut off; where events are
 *  sent, those of a delivery that became complete are written after its event. Never rejects. */
export async function recordCertificates(
  selections: readonly DeliverySelection[],
  ended: DeliveryResults,
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly RecordedCertificate[]> {
  const { results } = ended;
  const recorded = await mapConcurrently(selections, mostRecorded, async (selection) => {
    const reported = reportCertificate(selection, results, ports);
    // The tags of one that is not allowed stay unchanged, so that delivery continues from there once it is.
    if (selection.kind === 'selected' && isRefused(selection, ports))
      return { selection, report: reported.report, failures: reported.failures.map(asTold) };
    const completion = ports.putEvents ? 'withhold' : 'write';
    const { errors, end } = await recordProgress(selection, ended, { ...ports, completion }, invocation);
    const failures = errors.length > 0 ? reported.failures : markTold(selection, ended, reported, invocation);
    return { selection, end, report: reported.report, failures: [...failures, ...errors] };
  });
  return mapConcurrently(recorded, mostProbed, async ({ selection, end, report, failures }) => {
    const isFirst = end === 'withheld';
    if (selection.kind !== 'selected' || !(isFirst || isCompletedHere(selection, results)))
      return { report, failures };
    const served = await recordCompletion(selection, isFirst ? 'first' : 'again', ports, invocation);
    const written = { ...ports, completion: 'write' } as const;
    const { errors } = isFirst ? await recordProgress(selection, ended, written, invocation) : { errors: [] };
    return { report: { ...report, ...(served ? { served } : {}) }, failures: [...failures, ...errors] };
  });
}

/** The failures of a certificate whose tags are written, those that `status` tells marked. */
function markTold(
  selection: DeliverySelection,
  ended: DeliveryResults,
  { failures }: RecordedCertificate,
  { inventory }: DeployInvocation,
): readonly PartError[] {
  if (selection.kind === 'selected') {
    const silent = selection.requested.filter((job) => !becomesDegraded(job, ended));
    const names = new Set(silent.map(({ target }) => nameDestination(target, selection.name)));
    return failures.map((failure) => (names.has(failure.part) ? failure : asTold(failure)));
  }
  // Without its entry nothing was written; of one that is let go, `status` tells only that.
  const isTold = selection.entry !== undefined && !findRetirement(selection.entry, inventory);
  return isTold ? failures.map(asTold) : failures;
}

/** The reports sorted worst first, as many as fit into the answer. `omitted` counts the rest. */
export function listWorst(
  reports: readonly CertificateReport[],
): Pick<DeployReport, 'certificates' | 'omitted'> {
  const byDecision = Map.groupBy(reports, ({ decision }) => decision);
  const sorted = [...severity, 'skip' as const].flatMap((decision) => byDecision.get(decision) ?? []);
  let targets = 0;
  const end = sorted.findIndex((report, index) => {
    targets += report.targets.length;
    return index >= mostListed || (index > 0 && targets > mostTargetsListed);
  });
  const certificates = takeFitting(end === -1 ? sorted : sorted.slice(0, end), mostCertificateBytes);
  const omitted = sorted.length - certificates.length;
  return omitted > 0 ? { certificates, omitted } : { certificates };
}

/** Logs the result of each target and makes the certificate's report entry. Writes nothing. */
export function reportCertificate(
  selection: DeliverySelection,
  results: ReadonlyMap<AnyJob, JobResult>,
  ports: Pick<DeployPorts, 'clock' | 'log'>,
): RecordedCertificate {
  const { name } = selection;
  switch (selection.kind) {
    case 'skipped':
      return { report: describeSkipped(selection), failures: [] };
    case 'failed': {
      const message = wordsOf(selection.error);
      ports.log.error('certificate not delivered', { certificate: name, problem: message });
      return {
        report: { name, decision: 'refused', message, targets: [] },
        failures: [errorOfPart(name, selection.error)],
      };
    }
    case 'selected': {
      const own = selection.requested.flatMap((job) => results.get(job) ?? []);
      for (const result of own) logTarget(result, selection.version, ports);
      const targets = own.map(({ report }) => report);
      const { misfits } = selection;
      const kept = misfits && !isRefused(selection, ports) ? describeKept(misfits) : {};
      const report = { ...summarize(selection, targets), ...kept };
      const failures = own.flatMap((result) =>
        result.failures.map((error) => errorOfPart(result.report.target, error)),
      );
      return { report, failures };
    }
  }
}

function describeSkipped({
  name,
  message,
  reason,
}: Extract<DeliverySelection, { readonly kind: 'skipped' }>): CertificateReport {
  return { name, decision: 'skip', ...(reason ? { reason } : {}), message, targets: [] };
}

/** Writes the delivery tags. Returns the error if that fails; the next
 *  invocation then reads the targets again. */
async function recordProgress(
  selection: DeliverySelection,
  ended: DeliveryResults,
  ports: DeployPorts & { readonly completion: CompletionWriting },
  invocation: DeployInvocation,
): Promise<{ readonly end?: 'recorded' | 'withheld'; readonly errors: readonly PartError[] }> {
  try {
    if (selection.kind === 'selected')
      return { end: await recordDeliveries(selection, ended, ports, invocation), errors: [] };
    await recordLeftOut(selection, ports, invocation);
    return { errors: [] };
  } catch (error) {
    ports.log.error('state not recorded', { certificate: selection.name, problem: describeError(error) });
    return { errors: [errorOfPart(selection.name, error)] };
  }
}

/** Logs one result. A slow rollout is `delivery pending`: people's filters count `delivery failed`. */
function logTarget({ report, failures }: JobResult, version: string, { log }: Pick<DeployPorts, 'log'>) {
  const { certificate, target, outcome, message } = report;
  const fields = { certificate, target, version };
  switch (outcome) {
    case 'delivered':
      return log.info('certificate delivered', { ...fields, result: message });
    case 'pending':
      return log.warn(failures.length > 0 ? 'delivery failed' : 'delivery pending', {
        ...fields,
        problem: message,
      });
    case 'waiting':
      return log.info('delivery postponed', { ...fields, result: message });
    case 'held':
      return failures.length > 0
        ? log.error('delivery rolled back', { ...fields, problem: message })
        : log.warn('target frozen', { ...fields, problem: message });
    case 'refused':
      return log.error('delivery refused', { ...fields, problem: message });
    case 'planned':
      return log.info('delivery planned', { ...fields, result: message });
    case 'unchanged':
      return log.debug('target unchanged', { ...fields, result: message });
  }
}

/** Worst first. The worst outcome among its targets is the certificate's decision. */
const severity: readonly TargetOutcome[] = [
  'refused',
  'held',
  'pending',
  'waiting',
  'planned',
  'delivered',
  'unchanged',
];

function summarize(
  { name, version }: CertificateToDeliver,
  targets: readonly TargetReport[],
): CertificateReport {
  const decision = severity.find((outcome) => targets.some((target) => target.outcome === outcome)) ?? 'skip';
  const counts = severity
    .map((outcome) => [outcome, targets.filter((target) => target.outcome === outcome).length] as const)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`);
  const message = counts.length === 0 ? 'none of its targets was requested' : `targets: ${counts.join(', ')}`;
  return { name, version, decision, message, targets };
}
