// Delivers to targets in one region of AWS Certificate Manager: reads, plans, imports under a stable ARN.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { readCertificate } from '../../certificate/x509.ts';
import { type AcmCertificate, type ImportPlan, planImport } from '../../policy/delivery/acm.ts';
import { adviseFreeze, describeFreeze, judgeFrozen } from '../../policy/delivery/freeze.ts';
import { nameDestination } from '../../policy/delivery/secret-plan.ts';
import { type CertificateManager, CertificateManagerError } from '../../ports/acm.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { AcmJob, DeployInvocation, DeployPorts, JobResult, LoadLastGood } from '../invocation.ts';
import { createLoadLastGood } from '../last-good.ts';
import { describeNotYetValid } from '../plan/not-yet-valid.ts';
import { describeUndelivered } from '../results.ts';

/** Targets of one region worked on at once. ACM allows few calls per second. */
const concurrency = 4;

/** One result for each job, in order. Never rejects: errors are in the results. */
export async function deployToAcm(
  region: string,
  jobs: readonly AcmJob[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly JobResult[]> {
  let acm: CertificateManager;
  try {
    acm = await ports.connectAcm(region);
  } catch (error) {
    return jobs.map((job) => describeFailure(job, toError(error), invocation));
  }
  try {
    const loadLastGood = createLoadLastGood(ports, invocation);
    return await mapConcurrently(jobs, concurrency, (job) =>
      deliverOrFreeze(job, { acm, loadLastGood }, ports, invocation).catch((error: unknown) =>
        describeFailure(job, toError(error), invocation),
      ),
    );
  } finally {
    acm.close();
  }
}

/** Delivers one job, unless its version is frozen: then keeps what ACM
 *  has, or imports the previous version. */
async function deliverOrFreeze(
  job: AcmJob,
  { acm, loadLastGood }: { readonly acm: CertificateManager; readonly loadLastGood: LoadLastGood },
  { store, clock }: DeployPorts,
  invocation: DeployInvocation,
): Promise<JobResult> {
  const { freeze, phase, target, delivery, facts } = job;
  const decision =
    freeze && judgeFrozen(freeze, nameDestination(target, delivery.certificate), phase !== 'none');
  const isCurrent = async () =>
    (await store.describe(delivery.certificate, invocation.signal))?.current === delivery.version;
  // Unlike our verification, ACM tolerates no clock skew.
  const begins = facts.notBefore > clock.now() ? facts.notBefore : job.begins;
  if (!freeze || decision === 'proceed') return deliver({ ...job, begins }, acm, isCurrent, invocation);
  const advice = adviseFreeze(delivery.certificate);
  if (decision === 'stay') return describeUndelivered(job, 'held', `${describeFreeze(freeze)}; ${advice}`);
  const lastGood = await loadLastGood(job);
  if ('refusal' in lastGood) {
    const why = `the previous version cannot be put back: ${lastGood.refusal}`;
    return describeUndelivered(job, 'held', `${freeze.reason}; ${why}; ${advice}`, { phase: 'none' });
  }
  const { report, arn } = await deliver(
    { ...job, delivery: lastGood.delivery, begins: undefined },
    acm,
    isCurrent,
    invocation,
  );
  const message = [freeze.reason, report.message, advice].join('; ');
  return { ...describeUndelivered(job, 'held', message, { phase: 'none', action: report.action }), arn };
}

/** @param isCurrent Called before an import: a slow invocation must not
 *  replace a newer version with an older one. */
async function deliver(
  job: AcmJob,
  acm: CertificateManager,
  isCurrent: () => Promise<boolean>,
  invocation: DeployInvocation,
): Promise<JobResult> {
  const { dryRun, signal } = invocation;
  const { found, duplicates } = await observe(job, acm, signal);
  const plan = planImport(job.delivery, found);
  if (plan.action === 'refuse') throw new CertificateManagerError(plan.code, plan.message);
  if (plan.action === 'keep')
    return describeResult(job, plan.action, { arn: found?.arn, duplicates }, invocation);
  // ACM refuses a certificate that is not valid yet.
  if (job.begins) return describeNotYetValid(job, job.begins);
  if (found !== undefined && !(await acm.isImported(found.arn, signal))) {
    const message = `${found.arn} is a certificate that ACM issued and renews itself; set "arn" to an imported certificate, or leave it out`;
    throw new CertificateManagerError('NotImported', message);
  }
  if (!dryRun && !(await isCurrent())) {
    return describeUndelivered(
      job,
      'pending',
      'a newer version is current now; its own invocation imports it',
    );
  }
  const { certificate: name, chain, key } = job.delivery;
  const arn = dryRun ? found?.arn : await acm.import({ name, chain, key, arn: found?.arn }, signal);
  return describeResult(job, plan.action, { arn, duplicates }, invocation);
}

interface Observed {
  readonly found: AcmCertificate | undefined;
  /** ARNs of other certificates with the same tag, left by a crash or by two invocations at once. */
  readonly duplicates: readonly string[];
}

/** Finds the job's certificate in ACM: by the inventory's ARN, else by the ARN on the certificate's tags,
 *  else by the tag in ACM, because an invocation may have crashed between the import and recording the ARN.
 *  @throws CertificateManagerError `NotFound` if the inventory's ARN does not exist. */
async function observe(job: AcmJob, acm: CertificateManager, signal: AbortSignal): Promise<Observed> {
  const { arn } = job.target.acm;
  if (arn !== undefined) {
    const found = await acm.read(arn, signal);
    if (found) return { found, duplicates: [] };
    const message = `ACM has no certificate ${arn}; correct the target's "arn", or leave it out to import under a new one`;
    throw new CertificateManagerError('NotFound', message);
  }
  const known = job.arn === undefined ? undefined : await acm.read(job.arn, signal);
  if (known) return { found: known, duplicates: [] };
  const { certificate, chain } = job.delivery;
  const [first, ...duplicates] = await acm.find(certificate, readCertificate(chain).names, signal);
  return { found: first === undefined ? undefined : await acm.read(first, signal), duplicates };
}

const actionTexts: Readonly<Record<Exclude<ImportPlan['action'], 'refuse'>, readonly [string, string]>> = {
  create: ['imported as', 'would be imported under a new ARN'],
  apply: ['imported again under', 'would be imported again under'],
  keep: ['up to date under', 'up to date under'],
};

function describeResult(
  job: AcmJob,
  action: Exclude<ImportPlan['action'], 'refuse'>,
  { arn, duplicates }: { readonly arn: string | undefined; readonly duplicates: readonly string[] },
  { dryRun = false }: DeployInvocation,
): JobResult {
  const isKept = action === 'keep';
  const result = [actionTexts[action][dryRun ? 1 : 0], ...(arn === undefined ? [] : [arn])].join(' ');
  const notes = duplicates.map((other) => `${other} has the same tag; delete it once nothing uses it`);
  return {
    phase: dryRun ? job.phase : 'rolled-out',
    failures: [],
    // An ARN from the inventory need not be on the tags.
    arn: job.target.acm.arn === undefined ? arn : undefined,
    report: {
      certificate: job.delivery.certificate,
      target: nameDestination(job.target, job.delivery.certificate),
      outcome: dryRun ? 'planned' : isKept ? 'unchanged' : 'delivered',
      action,
      restarted: [],
      message: [result, ...notes].join('; '),
    },
  };
}

/** Errors that only a person can fix. */
const refusals: readonly string[] = ['NotFound', 'NotImported', 'KeyTypeConflict', 'Rejected'];

function describeFailure(job: AcmJob, error: Error, { signal }: DeployInvocation): JobResult {
  const isKnown = error instanceof CertificateManagerError;
  const isRefusal = isKnown && refusals.includes(error.code);
  const isLate = signal.aborted && !isKnown;
  const message = isLate
    ? 'time ran out before it was imported; the next run continues'
    : describeError(error);
  const target = nameDestination(job.target, job.delivery.certificate);
  return {
    phase: isRefusal ? 'none' : job.phase,
    failures: [isLate ? new Error(`${target}: ${message}`, { cause: error }) : error],
    report: {
      certificate: job.delivery.certificate,
      target,
      outcome: isRefusal ? 'refused' : 'pending',
      action: isRefusal ? 'refuse' : undefined,
      restarted: [],
      message,
    },
  };
}
