// One pass of issuing: gather, plan, order in waves, report.
import { CertrelayError } from '../errors.ts';
import { describeError } from '../log.ts';
import { type PlanEntry, planCertificates } from '../policy/plan.ts';
import type { DueCertificate } from './claim.ts';
import { type Candidate, gather, type Question, readSpecification, type Unknown } from './gather.ts';
import type { IssuePorts, OrderingPorts, Run } from './run.ts';
import type { WaveOutcome } from './settlement.ts';
import { runWave } from './wave.ts';

/** Certificates of one wave: their TXT values share one change per hosted zone. */
const waveSize = 100;
/** A wave that would have less time than this is left to the next run. */
const minWaveMs = 5_000;

export interface IssueReport {
  readonly dryRun: boolean;
  readonly summary: Readonly<Record<string, number>>;
  /** Every certificate asked for, the most urgent first. */
  readonly certificates: readonly ReportLine[];
}

/** One certificate in the report. */
export interface ReportLine {
  readonly name: string;
  readonly decision: PlanEntry['decision'] | 'unknown';
  readonly reason: string;
  readonly message: string;
  readonly until?: Date | undefined;
  readonly renewsAt?: Date | undefined;
  readonly outcome?: WaveOutcome['outcome'];
  readonly version?: string;
  readonly notAfter?: Date;
  readonly orderUrl?: string;
}

/** Runs one pass. Failures are given beside the report, by certificate, so that whoever called can throw them once
 *  everything was tried. @throws StoreError where not even listing works. */
export async function issueCertificates(
  request: Question & { readonly dryRun?: boolean | undefined },
  ports: IssuePorts,
  run: Run,
): Promise<{ readonly report: IssueReport; readonly failures: ReadonlyMap<string, Error> }> {
  const startedAt = ports.clock.now().getTime();
  const { candidates, unknown } = await gather(request, ports, run);
  const plan = planCertificates(candidates, ports.clock.now());
  logPlan(plan, ports);
  const due = plan.filter((entry) => entry.decision === 'order').map(({ name }) => name);
  const byName = new Map(candidates.map((candidate) => [candidate.name, candidate]));
  const waiting = due.flatMap((name) => byName.get(name) ?? []);
  const outcomes = request.dryRun ? [] : await order(waiting, request, ports, run);
  const report = makeReport(plan, outcomes, unknown, request.dryRun ?? false);
  ports.log.info('pass finished', { ...report.summary, ms: ports.clock.now().getTime() - startedAt });
  return { report, failures: new Map([...unknown.map(unknownFailure), ...outcomes.flatMap(failureOf)]) };
}

async function order(
  waiting: readonly Candidate[],
  { force }: Question,
  ports: IssuePorts,
  run: Run,
): Promise<readonly WaveOutcome[]> {
  if (waiting.length === 0) return [];
  const ordering: IssuePorts & OrderingPorts = { ...ports, ...(await ports.openOrdering()) };
  const outcomes: WaveOutcome[] = [];
  for (let first = 0; first < waiting.length; first += waveSize) {
    const wave = waiting.slice(first, first + waveSize);
    const leftMs = run.deadline.getTime() - ports.clock.now().getTime();
    if (run.signal.aborted || leftMs < minWaveMs) {
      const message = 'too little time was left to begin; the next run orders it';
      outcomes.push(...wave.map(({ name }) => ({ outcome: 'waiting' as const, name, message })));
      continue;
    }
    if (waiting.length > waveSize)
      ports.log.info('wave begun', { from: first + 1, to: first + wave.length, of: waiting.length });
    const prepared = await Promise.all(
      wave.map((candidate) => prepare(candidate, force ?? false, ports, run)),
    );
    const due = prepared.filter((one): one is DueCertificate => !('outcome' in one));
    outcomes.push(...prepared.filter((one): one is WaveOutcome => 'outcome' in one));
    outcomes.push(...(await runWave(due, ordering, run)));
  }
  return outcomes;
}

async function prepare(
  { name, spec, storedSpec, entry, inFlight }: Candidate,
  forced: boolean,
  { store }: IssuePorts,
  run: Run,
): Promise<DueCertificate | WaveOutcome> {
  if (spec) return { spec, storedSpec, entry, inFlight, forced };
  try {
    const read = await readSpecification(name, store, run.signal);
    return { spec: read, storedSpec: read, entry, inFlight, forced };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return { outcome: 'failed', name, message: describeError(failure), error: failure };
  }
}

/** What changes nothing is for debugging; at 10,000 certificates nobody reads the rest of a plan otherwise. */
function logPlan(plan: readonly PlanEntry[], { log }: IssuePorts): void {
  for (const { name, decision, reason, message } of plan) {
    log[decision === 'keep' ? 'debug' : 'info']('certificate judged', {
      certificate: name,
      decision,
      reason,
      detail: message,
    });
  }
}

function makeReport(
  plan: readonly PlanEntry[],
  outcomes: readonly WaveOutcome[],
  unknown: readonly Unknown[],
  dryRun: boolean,
): IssueReport {
  const byName = new Map(outcomes.map((outcome) => [outcome.name, outcome]));
  const lines: ReportLine[] = plan.map((entry) => {
    const result = byName.get(entry.name);
    if (!result) return entry;
    const { error: _, ...told } = { error: undefined, ...result };
    return { ...entry, ...told };
  });
  for (const { name, error } of unknown) {
    lines.push({
      name,
      decision: 'unknown',
      reason: 'Unreadable',
      message: describeError(error),
      outcome: 'failed',
    });
  }
  const summary: Record<string, number> = { certificates: lines.length };
  for (const { outcome, decision } of lines)
    summary[outcome ?? decision] = (summary[outcome ?? decision] ?? 0) + 1;
  return { dryRun, summary, certificates: lines };
}

function unknownFailure({ name, error }: Unknown): readonly [string, Error] {
  return [name, new CertrelayError('Unreadable', `${name}: ${describeError(error)}`, { cause: error })];
}

function failureOf(outcome: WaveOutcome): readonly (readonly [string, Error])[] {
  if (outcome.outcome !== 'failed') return [];
  const { name, message, error } = outcome;
  return [[name, new CertrelayError('CertificateFailed', `${name}: ${message}`, { cause: error })]];
}
