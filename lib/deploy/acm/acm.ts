// Delivers to targets in one region of AWS Certificate Manager: reads, plans, imports under a stable ARN.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { readCertificate } from '../../certificate/x509.ts';
import { type AcmCertificate, planImport } from '../../policy/delivery/acm.ts';
import { adviseFreeze, describeFreeze, judgeFrozen } from '../../policy/delivery/freeze.ts';
import { type Delivery, nameDestination } from '../../policy/delivery/secret-plan.ts';
import { type CertificateManager, CertificateManagerError } from '../../ports/acm.ts';
import { describeError, toError } from '../../ports/errors.ts';
import { RequestError } from '../../requests/errors.ts';
import type { Freeze } from '../../state/delivery.ts';
import { closedDestination, type Destination } from '../destination.ts';
import type { AcmJob, DeployInvocation, DeployPorts, JobResult, LoadLastGood } from '../invocation.ts';
import { createLoadLastGood } from '../last-good.ts';
import { describeNotYetValid } from '../plan/secret-decision.ts';
import { describeUndelivered } from '../results.ts';

/** Targets of one region worked on at once. ACM allows few calls per second. */
const concurrency = 4;

/** What to do for one target: import the delivery, keep what ACM has, or leave it with a result. */
type AcmPlan =
  | { readonly kind: 'leave'; readonly job: AcmJob; readonly result: JobResult }
  | {
      readonly kind: 'import' | 'keep';
      readonly job: AcmJob;
      readonly delivery: Delivery;
      /** The certificate to import over, or to keep; absent: it is imported under a new ARN. */
      readonly found: AcmCertificate | undefined;
      readonly duplicates: readonly string[];
      /** Set if the delivery is the previous version. */
      readonly freeze?: Freeze | undefined;
    };

/** Connects to the region. Never rejects. The caller closes it. */
export async function openAcm(
  region: string,
  jobs: readonly AcmJob[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<Destination> {
  let acm: CertificateManager;
  try {
    acm = await ports.connectAcm(region);
  } catch (error) {
    return closedDestination(jobs.map((job) => describeFailure(job, toError(error), invocation)));
  }
  const loadLastGood = createLoadLastGood(ports, invocation);
  const context = { acm, loadLastGood, ports, invocation };
  const fail = (job: AcmJob, error: unknown) => describeFailure(job, toError(error), invocation);
  const planJob = (job: AcmJob) =>
    planImportOf(job, context).catch((error: unknown): AcmPlan => {
      return { kind: 'leave', job, result: fail(job, error) };
    });
  return {
    plan: () => mapConcurrently(jobs, concurrency, async (job) => describePlan(await planJob(job))),
    // Each import follows its plan at once: another invocation may import the same meanwhile.
    carryOut: (print) =>
      mapConcurrently(jobs, concurrency, async (job) => {
        const plan = await planJob(job);
        print([describePlan(plan)]);
        return importPlanned(plan, context).catch((error: unknown) => fail(job, error));
      }),
    close: async () => acm.close(),
  };
}

interface AcmContext {
  readonly acm: CertificateManager;
  readonly loadLastGood: LoadLastGood;
  readonly ports: DeployPorts;
  readonly invocation: DeployInvocation;
}

/** Plans one job. A frozen version is not imported: ACM keeps what it has, or gets the previous version. */
async function planImportOf(job: AcmJob, context: AcmContext): Promise<AcmPlan> {
  const { freeze, phase, target, delivery, facts } = job;
  const decision =
    freeze && judgeFrozen(freeze, nameDestination(target, delivery.certificate), phase !== 'none');
  const leave = (result: JobResult): AcmPlan => ({ kind: 'leave', job, result });
  // Unlike our verification, ACM tolerates no clock skew.
  const begins = facts.notBefore > context.ports.clock.now() ? facts.notBefore : job.begins;
  if (!freeze || decision === 'proceed') return compare({ ...job, begins }, delivery, context);
  const advice = adviseFreeze(delivery.certificate);
  if (decision === 'stay') {
    return leave(describeUndelivered(job, 'held', `${describeFreeze(freeze)}; ${advice}`));
  }
  const lastGood = await context.loadLastGood(job);
  if ('refusal' in lastGood) {
    const why = `the previous version cannot be put back: ${lastGood.refusal}`;
    return leave(describeUndelivered(job, 'held', `${freeze.reason}; ${why}; ${advice}`, { phase: 'none' }));
  }
  const plan = await compare({ ...job, begins: undefined }, lastGood.delivery, context);
  return plan.kind === 'leave' ? plan : { ...plan, freeze };
}

/** Compares the delivery with what ACM has. */
async function compare(
  job: AcmJob,
  delivery: Delivery,
  { acm, invocation: { signal } }: AcmContext,
): Promise<AcmPlan> {
  const { found, duplicates } = await observe({ ...job, delivery }, acm, signal);
  const plan = planImport(delivery, found);
  if (plan.action === 'refuse') throw new CertificateManagerError(plan.code, plan.message);
  if (plan.action === 'keep') return { kind: 'keep', job, delivery, found, duplicates };
  // ACM refuses a certificate that is not valid yet.
  if (job.begins) return { kind: 'leave', job, result: describeNotYetValid(job, job.begins) };
  if (found !== undefined && !(await acm.isImported(found.arn, signal))) {
    const message = `${found.arn} is a certificate that ACM issued and renews itself; set "arn" to an imported certificate, or leave it out`;
    throw new CertificateManagerError('NotImported', message);
  }
  return { kind: 'import', job, delivery, found, duplicates };
}

/** Imports as planned, unless a newer version is current by now: a slow invocation must not replace it. */
async function importPlanned(plan: AcmPlan, { acm, ports, invocation }: AcmContext): Promise<JobResult> {
  if (plan.kind === 'leave') return plan.result;
  const { job, delivery, found } = plan;
  if (plan.kind === 'keep') return describeDone(plan, found?.arn);
  const { certificate, version } = job.delivery;
  const entry = await ports.store.describe(certificate, invocation.signal);
  if (entry?.current !== version) {
    const message = 'a newer version is current now; its own invocation imports it';
    return describeUndelivered(job, 'pending', message);
  }
  const { chain, key } = delivery;
  const arn = await acm.import({ name: certificate, chain, key, arn: found?.arn }, invocation.signal);
  return describeDone(plan, arn);
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

function describePlan(plan: AcmPlan): JobResult {
  if (plan.kind === 'leave') return plan.result;
  const { job, found } = plan;
  const texts = { import: 'would be imported', keep: 'up to date' } as const;
  const where = found ? `${plan.kind === 'import' ? 'again ' : ''}under ${found.arn}` : 'under a new ARN';
  return describeResult(plan, {
    phase: job.phase,
    outcome: 'planned',
    text: `${texts[plan.kind]} ${where}`,
    arn: found?.arn,
  });
}

function describeDone(plan: PlannedImport, arn: string | undefined): JobResult {
  const verb =
    plan.kind === 'keep' ? 'up to date under' : plan.found ? 'imported again under' : 'imported as';
  const outcome = plan.kind === 'keep' ? 'unchanged' : 'delivered';
  return describeResult(plan, { phase: 'rolled-out', outcome, text: `${verb} ${arn}`, arn });
}

type PlannedImport = Exclude<AcmPlan, { kind: 'leave' }>;

/** The result of a target that is, or would be, imported or kept. One that goes back to the previous version
 *  stays frozen. */
function describeResult(
  { job, freeze, kind, found, duplicates }: PlannedImport,
  {
    phase,
    outcome,
    text,
    arn,
  }: {
    readonly phase: JobResult['phase'];
    readonly outcome: 'planned' | 'unchanged' | 'delivered';
    readonly text: string;
    readonly arn: string | undefined;
  },
): JobResult {
  const { certificate } = job.delivery;
  const notes = duplicates.map((other) => `${other} has the same tag; delete it once nothing uses it`);
  const message = [text, ...notes].join('; ');
  const action = kind === 'keep' ? 'keep' : found ? 'apply' : 'create';
  // An ARN from the inventory need not be on the tags.
  const recorded = job.target.acm.arn === undefined ? arn : undefined;
  if (freeze) {
    const whole = [freeze.reason, message, adviseFreeze(certificate)].join('; ');
    return { ...describeUndelivered(job, 'held', whole, { phase: 'none', action }), arn: recorded };
  }
  const target = nameDestination(job.target, certificate);
  return {
    phase,
    failures: [],
    arn: recorded,
    report: { certificate, target, outcome, action, restarted: [], message },
  };
}

/** Errors that only a person can fix. */
const refusals: readonly string[] = ['NotFound', 'NotImported', 'KeyTypeConflict', 'Rejected'];

function describeFailure(job: AcmJob, error: Error, { signal }: DeployInvocation): JobResult {
  const isKnown = error instanceof CertificateManagerError;
  const isRefusal = isKnown && refusals.includes(error.code);
  const isLate = signal.aborted && !isKnown;
  const late = 'time ran out before it was imported; the next run continues';
  const failure = isLate ? new RequestError('Deadline', late) : error;
  return {
    phase: isRefusal ? 'none' : job.phase,
    failures: [failure],
    report: {
      certificate: job.delivery.certificate,
      target: nameDestination(job.target, job.delivery.certificate),
      outcome: isRefusal ? 'refused' : 'pending',
      action: isRefusal ? 'refuse' : undefined,
      restarted: [],
      message: describeError(failure),
    },
  };
}
