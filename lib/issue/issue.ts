// One pass of issuing: gather, plan, order in waves, report.

import { onceOnly } from '../async/memo.ts';
import { planCertificates } from '../policy/issuance/plan.ts';
import type { PredictedCalls } from '../policy/issuance/prediction.ts';
import { resumes } from '../policy/issuance/resume.ts';
import type { StoreEntry } from '../ports/store.ts';
import { compareLater, continueLater } from './continuation.ts';
import { IssueError } from './errors.ts';
import { admitOrders } from './gather/admission.ts';
import { addGrace, openAllowance } from './gather/allowance.ts';
import {
  type Candidate,
  gather,
  type PlannedCertificate,
  type Question,
  type UnreadableCertificate,
} from './gather/gather.ts';
import { fetchWindows, needsRenewalInfo } from './gather/renewal-info.ts';
import {
  beginInstallation,
  endInstallationPass,
  isFirstPass,
  mayEndPass,
  readInstallation,
} from './installation.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from './invocation.ts';
import { orderDue } from './order/batches.ts';
import type { OrderOutcome } from './order/record.ts';
import { sweepOrphans } from './orphans.ts';
import { type IssueReport, makeReport } from './report.ts';
import { signMissing } from './signing.ts';

/** What a pass is asked. */
export interface ReconcileRequest extends Question {
  readonly dryRun?: boolean | undefined;
  /** Holds the values of the named certificates against their tags: what a pass over all left of its share. */
  readonly compare?: boolean | undefined;
  /** Passes in a row before this one that finished nothing of what they were sent for. */
  readonly fruitless?: number | undefined;
}

/** Runs one pass. Failures are given beside the report, by certificate, so that whoever called can throw them once
 *  everything was tried. @throws StoreError where not even listing works. */
export async function issueCertificates(
  request: ReconcileRequest,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<{ readonly report: IssueReport; readonly failures: ReadonlyMap<string, Error> }> {
  const startedAt = ports.clock.now().getTime();
  const isFull = request.certificates === undefined && !request.dryRun;
  const known = isFull ? await readInstallation(ports, invocation) : undefined;
  const since = known === 'unknown' ? undefined : known?.comparedUntil;
  const comparedSince = request.compare ? 'all' : since;
  const gathered = await gather({ ...request, comparedSince }, ports, invocation);
  const { unreadable } = gathered;
  const installation =
    isFull && !known ? await beginInstallation(holdsCertificates(gathered), ports, invocation) : known;
  const grantsGrace = isFirstPass(installation);
  const isOverAll = request.certificates === undefined;
  const allowance = openAllowance(
    { dryRun: request.dryRun, installation, grantsGrace, isOverAll },
    ports,
    invocation,
  );
  const checked = await allowance.checkAll(gathered.candidates, gathered.specs);
  const now = ports.clock.now();
  const ordering = onceOnly(async () => ({ ...ports, ...(await ports.openOrdering()) }));
  const candidates = request.dryRun
    ? checked.candidates
    : await refreshWindows(checked.candidates, ordering, invocation, now);
  const asked = { ...request, allowance };
  const admitted = await admitOrders(planCertificates(candidates, now), asked, ordering, ports, invocation);
  const plan = addGrace(admitted);
  logPlan(plan, ports);
  const due = plan.filter((planned) => planned.plan.decision === 'order');
  // Side by side: an order that takes its time keeps nothing of others in DNS.
  const [outcomes] = request.dryRun
    ? [[]]
    : await Promise.all([
        orderDue(due, allowance, ordering, invocation),
        sweepOrphans([...gathered.orphans, ...findUnfinished(plan)], ordering, ports, invocation),
      ]);
  if (!request.dryRun) {
    const stored = new Set(outcomes.flatMap((one) => ('version' in one ? [one.name] : [])));
    await signMissing(
      plan.filter(({ name }) => !stored.has(name)),
      { ...ports, allowance },
      invocation,
    );
    await postpone(plan, outcomes, request, ports, invocation);
    await compareLater(gathered.uncompared, ports, invocation);
  }
  const isComplete = checked.isComplete && unreadable.length === 0;
  if (isFull && mayEndPass(installation, isComplete, ports)) {
    await endInstallationPass(new Date(startedAt), ports, invocation);
  }
  const predicted = request.dryRun ? await predict(due) : undefined;
  const lines = plan.map((planned) => planned.plan);
  const report = makeReport(lines, outcomes, unreadable, predicted);
  // Absent where the pass was over all certificates: its silence raises an alarm (infra/alarms.yml).
  const named = request.certificates?.length;
  ports.log.info('issue finished', {
    ...report.summary,
    asked: named,
    ms: ports.clock.now().getTime() - startedAt,
  });
  return {
    report,
    failures: new Map([...unreadable.map(failureOfUnreadable), ...outcomes.flatMap(failureOf)]),
  };
}

/** What orders have left of certificates that the inventory does not allow any more. */
function findUnfinished(certificates: readonly PlannedCertificate[]): readonly StoreEntry[] {
  return certificates
    .flatMap(({ plan, entry }) => (plan.reason === 'NotAllowed' && entry ? [entry] : []))
    .filter(({ pending }) => pending !== undefined);
}

/** Whether anything was stored here before this pass, by whatever version. */
function holdsCertificates({ candidates, orphans }: Awaited<ReturnType<typeof gather>>): boolean {
  const entries = [...candidates.map(({ entry }) => entry), ...orphans];
  return entries.some((entry) => entry?.state.version !== undefined);
}

/** What ordering all of these would change. */
async function predict(due: readonly PlannedCertificate[]): Promise<PredictedCalls> {
  const [{ predictCalls }, { batchSize }] = await Promise.all([
    import('../policy/issuance/prediction.ts'),
    import('./order/batch.ts'),
  ]);
  const orders = due.map(({ entry, situation, plan }) => ({
    directory: situation.desired.directory,
    isNew: entry === undefined,
    resumes: resumes(situation.pending, entry?.state),
    zones: plan.zones,
  }));
  return predictCalls(orders, batchSize);
}

/** Replaces the candidates that it is time to ask their CAs about. */
async function refreshWindows(
  candidates: readonly Candidate[],
  ordering: () => Promise<IssuePorts & OrderingPorts>,
  invocation: IssueInvocation,
  now: Date,
): Promise<readonly Candidate[]> {
  const asked = candidates.filter((candidate) => needsRenewalInfo(candidate, now));
  if (asked.length === 0) return candidates;
  const updated = await fetchWindows(asked, await ordering(), invocation);
  const byName = new Map(updated.map((candidate) => [candidate.name, candidate]));
  return candidates.map((candidate) => byName.get(candidate.name) ?? candidate);
}

/** Sends on what was not finished: cut off by time, in another run's hands, or to be tried again soon. */
async function postpone(
  plan: readonly PlannedCertificate[],
  outcomes: readonly OrderOutcome[],
  { fruitless = 0 }: ReconcileRequest,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<void> {
  // Where there is no such instant a person must act first, and the schedule looks again.
  const waiting = plan.flatMap(({ name, plan: line }) =>
    line.decision === 'wait' && line.until ? [{ name, until: line.until }] : [],
  );
  const unfinished = outcomes.flatMap((one) =>
    one.outcome === 'waiting' || one.outcome === 'failed' ? [{ name: one.name, until: one.until }] : [],
  );
  const attempted = outcomes.length > 0 ? 1 : 0;
  const emptyPasses = unfinished.length < outcomes.length ? 0 : fruitless + attempted;
  await continueLater([...waiting, ...unfinished], emptyPasses, ports, invocation);
}

/** What changes nothing is for debugging; at 10,000 certificates nobody reads the rest of a plan otherwise. */
function logPlan(certificates: readonly PlannedCertificate[], { log }: IssuePorts): void {
  for (const { name, plan } of certificates) {
    const { decision, reason, message } = plan;
    const level = decision === 'keep' ? 'debug' : 'info';
    log[level]('certificate judged', { certificate: name, decision, reason, detail: message });
  }
}

function failureOfUnreadable({ name, error }: UnreadableCertificate): readonly [string, Error] {
  return [name, new IssueError('Unknown', name, { cause: error })];
}

/** Its cause says why: whoever prints it prints both. */
function failureOf(outcome: OrderOutcome): readonly (readonly [string, Error])[] {
  if (outcome.outcome !== 'failed') return [];
  const { name, error } = outcome;
  return [[name, new IssueError('Failed', name, { cause: error })]];
}
