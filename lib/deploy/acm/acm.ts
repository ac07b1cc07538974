// Delivers to the targets of one region of AWS Certificate Manager: observe, plan, import under a stable ARN.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { readCertificate } from '../../certificate/x509.ts';
import { type AcmCertificate, type ImportPlan, planImport } from '../../policy/delivery/acm.ts';
import { adviseFreeze, describeFreeze, judgeFrozen } from '../../policy/delivery/freeze.ts';
import { nameDestination } from '../../policy/delivery/secret.ts';
import { type CertificateManager, CertificateManagerError } from '../../ports/acm.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { AcmJob, DeployInvocation, DeployPorts, JobResult, LoadLastGood } from '../invocation.ts';
import { createLoadLastGood } from '../last-good.ts';
import { describeEarly } from '../plan/early.ts';
import { describeStay } from '../results.ts';

/** Targets under way at once in one region: ACM takes few calls a second. */
const concurrency = 4;

/** One result for each job, in their order. Never rejects: what goes wrong is in the results. */
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
      deliverOrFreeze(job, acm, loadLastGood, ports, invocation).catch((error: unknown) =>
        describeFailure(job, toError(error), invocation),
      ),
    );
  } finally {
    acm.close();
  }
}

/** A version that a person took back has no place here either; one that failed elsewhere is not imported. */
async function deliverOrFreeze(
  job: AcmJob,
  acm: CertificateManager,
  loadLastGood: LoadLastGood,
  { store, clock }: DeployPorts,
  invocation: DeployInvocation,
): Promise<JobResult> {
  const { freeze, step, target, delivery, facts } = job;
  const held = freeze && judgeFrozen(freeze, nameDestination(target, delivery.certificate), step !== 'none');
  const isCurrent = async () =>
    (await store.describe(delivery.certificate, invocation.signal))?.current === delivery.version;
  // ACM forgives no clocks that differ.
  const begins = facts.notBefore > clock.now() ? facts.notBefore : job.begins;
  if (!freeze || held === 'proceed') return deliver({ ...job, begins }, acm, isCurrent, invocation);
  const advice = adviseFreeze(delivery.certificate);
  if (held === 'stay') return describeStay(job, 'held', `${describeFreeze(freeze)}; ${advice}`);
  const lastGood = await loadLastGood(job);
  if ('refusal' in lastGood) {
    const why = `the version before cannot take its place: ${lastGood.refusal}`;
    return describeStay(job, 'held', `${freeze.reason}; ${why}; ${advice}`, { step: 'none' });
  }
  const { report, arn } = await deliver(
    { ...job, delivery: lastGood.delivery, begins: undefined },
    acm,
    isCurrent,
    invocation,
  );
  const message = [freeze.reason, report.message, advice].join('; ');
  return { ...describeStay(job, 'held', message, { step: 'none', action: report.action }), arn };
}

/** @param isCurrent Asked before anything is imported: a run that took long must not put what is older over what came meanwhile. */
async function deliver(
  job: AcmJob,
  acm: CertificateManager,
  isCurrent: () => Promise<boolean>,
  invocation: DeployInvocation,
): Promise<JobResult> {
  const { dryRun, signal } = invocation;
  const { found, spare } = await observe(job, acm, signal);
  const plan = planImport(job.delivery, found);
  if (plan.action === 'refuse') throw new CertificateManagerError(plan.code, plan.message);
  if (plan.action === 'keep') return describeResult(job, plan.action, found?.arn, spare, invocation);
  // ACM itself takes none before its time.
  if (job.begins) return describeEarly(job, job.begins);
  if (found !== undefined && !(await acm.isImported(found.arn, signal))) {
    const message = `${found.arn} is a certificate that ACM issued and renews itself: name an imported one, or leave out "arn"`;
    throw new CertificateManagerError('NotImported', message);
  }
  if (!dryRun && !(await isCurrent())) {
    return describeStay(job, 'pending', 'a newer version is there by now, and a pass of its own imports it');
  }
  const { certificate: name, chain, key } = job.delivery;
  const arn = dryRun ? found?.arn : await acm.import({ name, chain, key, arn: found?.arn }, signal);
  return describeResult(job, plan.action, arn, spare, invocation);
}

interface Observed {
  readonly found: AcmCertificate | undefined;
  /** ARNs of others that carry the same tag: two runs, or a crash, have made more than one. */
  readonly spare: readonly string[];
}

/** By the inventory's ARN, else by the remembered one, else by the tag: the run that imported it may have crashed before it
 *  could remember. */
async function observe(job: AcmJob, acm: CertificateManager, signal: AbortSignal): Promise<Observed> {
  const { arn } = job.target.acm;
  if (arn !== undefined) {
    const found = await acm.read(arn, signal);
    if (found) return { found, spare: [] };
    const message = `there is no certificate ${arn}: correct the target's "arn", or leave it out to import under a new one`;
    throw new CertificateManagerError('NotFound', message);
  }
  const known = job.arn === undefined ? undefined : await acm.read(job.arn, signal);
  if (known) return { found: known, spare: [] };
  const { certificate, chain } = job.delivery;
  const [first, ...spare] = await acm.find(certificate, readCertificate(chain).names, signal);
  return { found: first === undefined ? undefined : await acm.read(first, signal), spare };
}

const done: Readonly<Record<Exclude<ImportPlan['action'], 'refuse'>, readonly [string, string]>> = {
  create: ['imported as', 'would be imported under a new ARN'],
  apply: ['imported again under', 'would be imported again under'],
  keep: ['up to date under', 'up to date under'],
};

function describeResult(
  job: AcmJob,
  action: Exclude<ImportPlan['action'], 'refuse'>,
  arn: string | undefined,
  spare: readonly string[],
  { dryRun = false }: DeployInvocation,
): JobResult {
  const isKept = action === 'keep';
  const words = [done[action][dryRun ? 1 : 0], ...(arn === undefined ? [] : [arn])].join(' ');
  const notes = spare.map((one) => `${one} carries its tag too: delete it once nothing uses it`);
  return {
    step: dryRun ? job.step : 'rolled-out',
    failures: [],
    // What the inventory says need not be remembered.
    arn: job.target.acm.arn === undefined ? arn : undefined,
    report: {
      certificate: job.delivery.certificate,
      target: nameDestination(job.target, job.delivery.certificate),
      outcome: dryRun ? 'planned' : isKept ? 'unchanged' : 'delivered',
      action,
      restarted: [],
      message: [words, ...notes].join('; '),
    },
  };
}

/** What no later run mends by itself. */
const refusals: readonly string[] = ['NotFound', 'NotImported', 'KeyTypeConflict', 'Rejected'];

function describeFailure(job: AcmJob, error: Error, { signal }: DeployInvocation): JobResult {
  const isKnown = error instanceof CertificateManagerError;
  const isRefusal = isKnown && refusals.includes(error.code);
  const isLate = signal.aborted && !isKnown;
  const message = isLate ? 'time was up before it was imported' : describeError(error);
  const target = nameDestination(job.target, job.delivery.certificate);
  return {
    step: isRefusal ? 'none' : job.step,
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
