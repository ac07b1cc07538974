// Which of the orders that are wanted are begun now: those for names that nobody else has, that the CA's limits allow and that DNS
// does not stand before.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { type Planned, planOne } from '../../policy/issuance/plan.ts';
import { describeError } from '../../ports/errors.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import type { Allowance } from './allowance.ts';
import {
  type Candidate,
  completeCandidate,
  type DueCertificate,
  type PlannedCertificate,
  type Question,
} from './gather.ts';

/** Specifications read at once. */
const concurrency = 32;
/** What a look at DNS may take of a pass: a part of its time, and never more than this. */
const timeShare = 0.25;
const longestPreflightMs = 20_000;

/** What a pass is asked, as far as it matters here. */
export interface AdmissionRequest extends Question {
  readonly dryRun?: boolean | undefined;
  readonly allowance: Allowance;
}

/** The plan with what must wait. An order that the inventory or DNS stands before takes nothing from the CA's limits, so
 *  another takes its place and is looked at in turn. Specifications that only tags stood for are read on the way. */
export async function admitOrders(
  plan: readonly PlannedCertificate[],
  request: AdmissionRequest,
  openOrdering: () => Promise<IssuePorts & OrderingPorts>,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<readonly PlannedCertificate[]> {
  if (!plan.some(isOrder)) return plan;
  const [{ withinBudgets }, { withholdTakenNames }] = await Promise.all([
    import('./rate-limits.ts'),
    import('./taken-names.ts'),
  ]);
  const hasPreflight = invocation.inventory.dns?.preflight !== false;
  const preflighted = new Set<string>();
  let preflight: RunPreflight | undefined;
  let known = await withholdTakenNames(plan, request, ports, invocation);
  for (;;) {
    const allowed = await withinBudgets(known, request, ports.store, invocation, ports.clock.now());
    const unchecked = allowed.filter((one) => isOrder(one) && !preflighted.has(one.name));
    const read = await readSpecifications(unchecked, request, ports, invocation);
    known = replaceByName(known, read);
    if (!read.every(isOrder)) continue;
    if (unchecked.length === 0 || !hasPreflight) return replaceByName(allowed, read);
    preflight ??= await openPreflight(request, await openOrdering(), invocation);
    if (!preflight) return replaceByName(allowed, read);
    known = replaceByName(known, await preflight(replaceByName(unchecked, read)));
    for (const { name } of unchecked) preflighted.add(name);
  }
}

function isOrder({ plan }: PlannedCertificate): boolean {
  return plan.decision === 'order';
}

/** The plan with these in the place of those of the same name. */
function replaceByName(
  plan: readonly PlannedCertificate[],
  changed: readonly PlannedCertificate[],
): readonly PlannedCertificate[] {
  const byName = new Map(changed.map((one) => [one.name, one]));
  return plan.map((one) => byName.get(one.name) ?? one);
}

/** Looks at DNS for some certificates that order, and gives them back as they are planned then. */
type RunPreflight = (due: readonly PlannedCertificate[]) => Promise<readonly PlannedCertificate[]>;

/** `undefined` where the inventory wants no look. All looks of a pass share one time limit. */
async function openPreflight(
  { dryRun = false, force = false }: AdmissionRequest,
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<RunPreflight | undefined> {
  const { preflight, clock } = ports;
  if (!preflight) return undefined;
  const { runPreflight } = await import('./preflight.ts');
  const leftMs = Math.max(0, invocation.workUntil.getTime() - clock.now().getTime());
  const limit = AbortSignal.timeout(Math.floor(Math.min(longestPreflightMs, leftMs * timeShare)));
  const signal = AbortSignal.any([invocation.signal, limit]);
  return (due) => runPreflight(due, { dryRun, force, signal }, { ...ports, preflight });
}

/** Those of the certificates that tags alone were enough for, planned anew by the specifications that are read now. One that
 *  cannot be read is left out: it is read once more when it is ordered, and fails there. */
async function readSpecifications(
  due: readonly PlannedCertificate[],
  { allowance }: AdmissionRequest,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<readonly PlannedCertificate[]> {
  const unread = due.filter(({ spec }) => !spec);
  const read = await mapConcurrently(unread, concurrency, async (planned) => {
    try {
      return await planBySpecification(planned, allowance, ports, invocation);
    } catch (error) {
      ports.log.debug('specification not read', {
        certificate: planned.name,
        problem: describeError(error),
      });
      return undefined;
    }
  });
  return read.filter((planned) => planned !== undefined);
}

/** The certificate with its specification, and what the plan makes of that.
 *  @throws StoreError, IssueError `Unknown` if the specification is gone, ConfigError if its issuers are. */
export async function planBySpecification(
  candidate: Candidate,
  allowance: Allowance,
  { store, clock }: IssuePorts,
  invocation: IssueInvocation,
): Promise<Planned<DueCertificate>> {
  const complete = await completeCandidate(candidate, store, invocation);
  const { situation } = await allowance.checkSpec(complete, complete.spec);
  const due = { ...complete, situation };
  return { ...due, plan: planOne(due, clock.now()) };
}
