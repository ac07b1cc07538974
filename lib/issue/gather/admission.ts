// Which of the orders that are wanted are begun now: those for names that nobody else has, that the CA's limits allow and that DNS
// does not stand before.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { judge } from '../../policy/issuance/checks.ts';
import type { Plan, PlanEntry } from '../../policy/issuance/plan.ts';
import { describeError } from '../../ports/errors.ts';
import type { IssuePorts, OrderingPorts, Run } from '../run.ts';
import type { Allowance } from './allowance.ts';
import { type Candidate, type Question, readSpecification } from './gather.ts';

/** Specifications read at once. */
const concurrency = 32;
/** What a look at DNS may take of a pass: a part of its time, and never more than this. */
const timeShare = 0.25;
const longestLookMs = 20_000;

/** What a pass is asked, as far as it matters here. */
export interface AdmissionRequest extends Question {
  readonly dryRun?: boolean | undefined;
  readonly allowance: Allowance;
}

/** The plan with what must wait. An order that the inventory or DNS stands before takes nothing from the CA's limits, so another takes its
 *  place and is looked at in turn. `candidates` gets the specifications that are read for it. */
export async function admitOrders(
  plan: Plan,
  candidates: Map<string, Candidate>,
  request: AdmissionRequest,
  openOrdering: () => Promise<IssuePorts & OrderingPorts>,
  ports: IssuePorts,
  run: Run,
): Promise<Plan> {
  if (!plan.some(isOrder)) return plan;
  const [{ withinBudgets }, { withholdTakenNames }] = await Promise.all([
    import('./rate-limits.ts'),
    import('./taken-names.ts'),
  ]);
  const free = await withholdTakenNames(plan, candidates, request, ports, run);
  const seen = new Map<string, PlanEntry>();
  const isLooking = run.inventory.dns?.preflight !== false;
  let look: Look | undefined;
  for (;;) {
    const now = ports.clock.now();
    const known = free.map((entry) => seen.get(entry.name) ?? entry);
    const allowed = await withinBudgets(known, candidates, request, ports.store, run, now);
    const unseen = allowed.filter((entry) => isOrder(entry) && !seen.has(entry.name));
    const refused = await readSpecifications(unseen, candidates, request, ports, run);
    for (const entry of refused) seen.set(entry.name, entry);
    if (refused.length > 0) continue;
    if (unseen.length === 0 || !isLooking) return allowed;
    look ??= await prepareLook(request, await openOrdering(), run);
    if (!look) return allowed;
    for (const entry of await look(unseen, candidates)) seen.set(entry.name, entry);
  }
}

function isOrder({ decision }: Pick<PlanEntry, 'decision'>): boolean {
  return decision === 'order';
}

/** Looks at DNS for some entries that order, and gives them back as they are then. */
type Look = (
  entries: readonly PlanEntry[],
  candidates: ReadonlyMap<string, Candidate>,
) => Promise<readonly PlanEntry[]>;

/** `undefined` where the inventory wants no look. All looks of a pass share one time limit. */
async function prepareLook(
  { dryRun = false, force = false }: AdmissionRequest,
  ports: IssuePorts & OrderingPorts,
  run: Run,
): Promise<Look | undefined> {
  const { preflight, clock } = ports;
  if (!preflight) return undefined;
  const { lookBefore } = await import('./preflight.ts');
  const leftMs = Math.max(0, run.workUntil.getTime() - clock.now().getTime());
  const limit = AbortSignal.timeout(Math.floor(Math.min(longestLookMs, leftMs * timeShare)));
  const signal = AbortSignal.any([run.signal, limit]);
  return (entries, candidates) =>
    lookBefore(entries, candidates, { dryRun, force, signal }, { ...ports, preflight });
}

/** Of registered certificates that the tags alone told of. One that cannot be read fails where it is ordered. Gives those
 *  that the inventory does not allow by what was read. */
async function readSpecifications(
  entries: readonly PlanEntry[],
  candidates: Map<string, Candidate>,
  { allowance }: AdmissionRequest,
  { store, clock, log }: IssuePorts,
  { signal }: Run,
): Promise<readonly PlanEntry[]> {
  const unread = entries.flatMap(({ name }) => candidates.get(name) ?? []).filter(({ spec }) => !spec);
  const judged = await mapConcurrently(unread, concurrency, async (candidate) => {
    const { name } = candidate;
    try {
      const spec = await readSpecification(name, store, signal);
      const held = { ...(await allowance.holdSpec(candidate, spec)), spec };
      candidates.set(name, held);
      return { name, ...judge(held.situation, clock.now()) };
    } catch (error) {
      log.debug('specification not read', { certificate: name, problem: describeError(error) });
      return undefined;
    }
  });
  return judged.filter((entry) => entry !== undefined).filter((entry) => !isOrder(entry));
}
