// Holds back due orders for names that another source has, beyond the CA's limits, or that DNS would fail.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { type Planned, planOne } from '../../policy/issuance/plan.ts';
import { describeError } from '../../ports/errors.ts';
import type { IssueInvocation, IssuePorts, ReconcileRequest } from '../invocation.ts';
import type { Allowance } from './allowance.ts';
import { type Candidate, completeCandidate, type DueCertificate, type PlannedCertificate } from './gather.ts';

/** Specifications read at once. */
const concurrency = 32;
/** The part of the remaining time that the DNS preflight may take, and its longest time in milliseconds. */
const timeShare = 0.25;
const longestPreflightMs = 20_000;

/** The request of a pass, with the rules by which late specifications are checked. */
export interface AdmissionRequest extends ReconcileRequest {
  readonly allowance: Allowance;
}

/** The plan in which orders wait that must: `NameTaken`, `RateLimited`, `PreflightFailed`, or `NotAllowed`
 *  by a specification that is read here. An order that waits spends nothing of the CA's limits, so the next
 *  one takes its place and is checked too. */
export async function admitOrders(
  plan: readonly PlannedCertificate[],
  request: AdmissionRequest,
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
    const allowed = await withinBudgets(known, request, ports, invocation);
    const unchecked = allowed.filter((one) => isOrder(one) && !preflighted.has(one.name));
    const read = await readSpecifications(unchecked, request, ports, invocation);
    known = replaceByName(known, read);
    if (!read.every(isOrder)) continue;
    if (unchecked.length === 0 || !hasPreflight) return replaceByName(allowed, read);
    preflight ??= await openPreflight(request, ports, invocation);
    if (!preflight) return replaceByName(allowed, read);
    known = replaceByName(known, await preflight(replaceByName(unchecked, read)));
    for (const { name } of unchecked) preflighted.add(name);
  }
}

function isOrder({ plan }: PlannedCertificate): boolean {
  return plan.decision === 'order';
}

/** The plan in which each changed certificate replaces the one of the same name. */
function replaceByName(
  plan: readonly PlannedCertificate[],
  changed: readonly PlannedCertificate[],
): readonly PlannedCertificate[] {
  const byName = new Map(changed.map((one) => [one.name, one]));
  return plan.map((one) => byName.get(one.name) ?? one);
}

/** Checks DNS for due certificates, and returns them with their plan of then. */
type RunPreflight = (due: readonly PlannedCertificate[]) => Promise<readonly PlannedCertificate[]>;

/** `undefined` if this installation has no preflight. All checks of a pass share one time limit. */
async function openPreflight(
  { dryRun = false, force = false }: AdmissionRequest,
  issuing: IssuePorts,
  invocation: IssueInvocation,
): Promise<RunPreflight | undefined> {
  const ports = { ...issuing, ...(await issuing.openOrdering()) };
  const { preflight, clock } = ports;
  if (!preflight) return undefined;
  const { runPreflight } = await import('./preflight.ts');
  const leftMs = Math.max(0, invocation.workUntil.getTime() - clock.now().getTime());
  const limit = clock.timeout(Math.floor(Math.min(longestPreflightMs, leftMs * timeShare)));
  const signal = AbortSignal.any([invocation.signal, limit]);
  return (due) => runPreflight(due, { dryRun, force, signal }, { ...ports, preflight });
}

/** Reads the missing specifications and plans those certificates again. Leaves out a certificate that
 *  cannot be read: its order reads it once more, and fails there. */
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

/** Reads the certificate's specification, checks it against today's inventory, and plans the certificate
 *  again. @throws StoreError, IssueError `Unknown` if the specification is gone, ConfigError if its
 *  issuers are. */
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
