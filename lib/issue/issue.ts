// The issuing story: plans every requested certificate, orders what is due in batches, records and reports.

import { keepFailures, once } from '../async/promise-cache.ts';
import { slowCode } from '../policy/issuance/backoff.ts';
import { isForPerson } from '../policy/issuance/plan.ts';
import type { PredictedCalls } from '../policy/issuance/prediction.ts';
import { resumes } from '../policy/issuance/resume.ts';
import { asTold, errorOfPart, PartError } from '../ports/errors.ts';
import { RequestError } from '../requests/errors.ts';
import { Blame } from './blame.ts';
import { compareLater, continueLater, isFollowed } from './continuation.ts';
import type { PlannedCertificate, UnreadableCertificate } from './gather/gather.ts';
import { endInstallationPass, mayEndPass } from './installation.ts';
import type { IssueInvocation, IssuePorts, ReconcileRequest } from './invocation.ts';
import { tellIssued } from './notices.ts';
import { orderDue } from './order/batches.ts';
import { reasonOf } from './order/failure.ts';
import type { OrderOutcome } from './order/outcome.ts';
import { sweepOrphans } from './orphans.ts';
import { putOwedEvents } from './owed-events.ts';
import { type IssuePlan, planIssuing } from './plan.ts';
import { countSecretsToMake, recordProblems } from './problems.ts';
import {
  describeRetiringLine,
  describeUnreadable,
  type IssueReport,
  joinOutcome,
  makeReport,
} from './report.ts';
import type { RetiringOutcome } from './retiring/retiring.ts';
import { signMissing } from './signing.ts';

/** Plans the requested certificates (all, unless the request names some), orders those that are due and
 *  stores what the CAs issue. `failures`: by certificate, so that the caller can throw them after
 *  everything was tried. A dry run stops after the plan. @throws StoreError if not even listing works. */
export async function issueCertificates(
  request: ReconcileRequest,
  { openOrdering, ...others }: IssuePorts,
  invocation: IssueInvocation,
): Promise<{ readonly report: IssueReport; readonly failures: ReadonlyMap<string, PartError> }> {
  const blame = new Blame();
  const open = async () => {
    const ordering = await openOrdering();
    return { ...ordering, connect: blame.watch(ordering.connect) };
  };
  const ports = { ...others, openOrdering: once(open, keepFailures) };
  const startedAt = ports.clock.now();
  const plan = await planIssuing(request, ports, invocation);
  logPlan(plan, ports);
  if (!request.dryRun) {
    const pass = request.certificates ? 'over some' : 'over all';
    await putOwedEvents(plan, pass, ports, invocation);
  }
  const due = plan.certificates.filter((planned) => planned.plan.decision === 'order');
  const outcomes = request.dryRun ? [] : await carryOut(plan, due, ports, invocation);
  await tellIssued(plan.certificates, outcomes, ports, invocation);
  const goes = request.dryRun ? [] : await letThemGo(plan, ports, invocation);
  let told: ReadonlySet<string> = new Set();
  if (!request.dryRun) {
    const isAsked = request.certificates !== undefined;
    await postpone({ plan, outcomes, emptyPasses: request.fruitless, isAsked }, ports, invocation);
    await compareLater(plan.uncompared, ports, invocation);
    const isFull = request.certificates === undefined;
    if (isFull && mayEndPass(plan.installation, plan.isComplete, ports))
      await endInstallationPass(startedAt, ports, invocation);
    told = await recordProblems({ ...plan, outcomes }, blame, ports, invocation);
  }
  const predicted = request.dryRun ? await predict(due, plan) : undefined;
  const { certificates, unreadable, retiring } = plan;
  const now = ports.clock.now();
  const [ordered, gone] = [byName(outcomes), byName(goes)];
  const report = makeReport(
    [
      ...certificates.map((planned) => joinOutcome(planned, ordered)),
      ...retiring.map((one) => describeRetiringLine(one, gone, now)),
      ...unreadable.map(describeUnreadable),
    ],
    predicted,
  );
  ports.log.info('issue finished', {
    ...report.summary,
    // Absent for a pass over all certificates, so that a filter can count those.
    asked: request.certificates?.length,
    ms: ports.clock.now().getTime() - startedAt.getTime(),
  });
  const refused = request.dryRun ? certificates.flatMap(refusalOf) : [];
  const stopped = [...unreadable.map(failureOfUnreadable), ...outcomes.flatMap(failureOf)];
  const failed = stopped.map(([one, error]) => [one, told.has(one) ? asTold(error) : error] as const);
  return { report, failures: new Map([...failed, ...goes.flatMap(failureOf), ...refused]) };
}

function byName<T extends { readonly name: string }>(outcomes: readonly T[]): ReadonlyMap<string, T> {
  return new Map(outcomes.map((outcome) => [outcome.name, outcome]));
}

/** Orders what is due, ends abandoned claims and signs for agents what nobody has signed yet. */
async function carryOut(
  { certificates, abandoned, allowance }: IssuePlan,
  due: readonly PlannedCertificate[],
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<readonly OrderOutcome[]> {
  // Side by side: a slow order does not keep the TXT values of others in DNS.
  const [outcomes] = await Promise.all([
    orderDue(due, allowance, ports, invocation),
    sweepOrphans(abandoned, ports, invocation),
  ]);
  const stored = new Set(outcomes.flatMap((one) => ('version' in one ? [one.name] : [])));
  const unchanged = certificates.filter(({ name }) => !stored.has(name));
  await signMissing(unchanged, { ...ports, allowance }, invocation);
  return outcomes;
}

/** The code is loaded with the first certificate that is let go. */
async function letThemGo(
  { retiring }: IssuePlan,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<readonly RetiringOutcome[]> {
  if (retiring.length === 0) return [];
  const { letGo } = await import('./retiring/retiring.ts');
  return letGo(retiring, ports, invocation);
}

/** The calls that ordering all of these would make, and noting what holds the others back. */
async function predict(
  due: readonly PlannedCertificate[],
  { certificates }: IssuePlan,
): Promise<PredictedCalls> {
  const { predictCalls, batchSize } = await import('../policy/issuance/prediction.ts');
  const orders = due.map(({ entry, situation, plan }) => ({
    directory: situation.desired.directory,
    isNew: entry === undefined,
    resumes: resumes(situation.pending, entry?.state),
    zones: plan.zones,
  }));
  const predicted = predictCalls(orders, batchSize);
  return { ...predicted, CreateSecret: predicted.CreateSecret + countSecretsToMake(certificates) };
}

/** Sends messages for unfinished certificates: those that ran out of time, that another run orders, or
 *  that are tried again soon. `emptyPasses`: passes in a row before this one that finished nothing. */
async function postpone(
  {
    plan,
    outcomes,
    emptyPasses = 0,
    isAsked,
  }: {
    readonly plan: IssuePlan;
    readonly outcomes: readonly OrderOutcome[];
    readonly emptyPasses: number | undefined;
    /** Whether the pass is for some certificates only, as a message asks. */
    readonly isAsked: boolean;
  },
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<void> {
  // Without an instant a person must act first, and the schedule looks again.
  const now = ports.clock.now();
  const waiting = plan.certificates.flatMap(({ name, situation, plan: line }) => {
    if (line.decision !== 'wait' || !line.until) return [];
    const { reason, until } = line;
    const isSlow = isAsked && reason === 'BackingOff' && situation.error === slowCode;
    return [{ name, until, isSlow: isSlow && isFollowed(until, now) }];
  });
  const unfinished = outcomes.flatMap((one) =>
    one.outcome === 'waiting' || one.outcome === 'failed'
      ? [{ name: one.name, until: one.until, isSlow: 'isSlow' in one }]
      : [],
  );
  // A look at an order that the CA still works on is no attempt.
  const attempted = outcomes.some((one) => !('isSlow' in one)) ? 1 : 0;
  const inARow = unfinished.length < outcomes.length ? 0 : emptyPasses + attempted;
  await continueLater([...waiting, ...unfinished], inARow, ports, invocation);
}

/** Certificates that stay as they are go to the debug level: nobody reads 10,000 such lines. */
function logPlan({ certificates }: IssuePlan, { log }: IssuePorts): void {
  for (const { name, plan } of certificates) {
    const { decision, reason, message } = plan;
    const level = decision === 'keep' ? 'debug' : 'info';
    log[level]('certificate judged', { certificate: name, decision, reason, detail: message });
  }
}

function failureOfUnreadable({ name, error }: UnreadableCertificate): readonly [string, PartError] {
  return [name, errorOfPart(name, error)];
}

/** In a dry run: what no order could succeed for before a person acts. */
function refusalOf({ name, plan }: PlannedCertificate): readonly (readonly [string, PartError])[] {
  if (plan.decision !== 'wait' || !isForPerson(plan.reason)) return [];
  return [[name, new PartError(name, new RequestError(plan.reason, plan.message))]];
}

function failureOf(outcome: OrderOutcome | RetiringOutcome): readonly (readonly [string, PartError])[] {
  if (outcome.outcome !== 'failed') return [];
  const { name, error } = outcome;
  const failure = new PartError(name, error, { code: reasonOf(error) });
  return [[name, 'isTold' in outcome && outcome.isTold ? asTold(failure) : failure]];
}
