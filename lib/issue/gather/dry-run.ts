// What a dry run looks at beyond a pass: whether an order could succeed at all, also one that only backs off.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { PromiseCache } from '../../async/promise-cache.ts';
import { withNeed } from '../../policy/issuance/decision.ts';
import { issuersOf } from '../../policy/issuance/issuer-choice.ts';
import { isForPerson, planOne } from '../../policy/issuance/plan.ts';
import { resumes } from '../../policy/issuance/resume.ts';
import { describeError } from '../../ports/errors.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import { type AdmissionRequest, admitOrders } from './admission.ts';
import type { PlannedCertificate } from './gather.ts';

/** Certificates checked at once. */
const concurrency = 16;

/** The plan in which an order waits (`PreflightFailed`) that the CA would refuse, whatever DNS says, and a
 *  certificate that backs off waits for what its next order would fail for. Writes nothing.
 *  @throws StoreError if listing fails. */
export async function rehearseOrders(
  plan: readonly PlannedCertificate[],
  request: AdmissionRequest,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<readonly PlannedCertificate[]> {
  const now = ports.clock.now();
  const lifted = plan.flatMap((planned) => (isBackingOff(planned) ? [liftBackOff(planned, now)] : []));
  if (lifted.length === 0 && !plan.some(isOrder)) return plan;
  const admitted = await admitOrders(lifted, request, ports, invocation);
  const ordered = [...admitted, ...plan].filter(isOrder);
  const { findObstacle } = await ports.openOrdering();
  const refused = findObstacle ? await heedAuthorities(ordered, findObstacle, invocation) : [];
  const found = new Map([...admitted, ...refused].map((planned) => [planned.name, planned]));
  return plan.map((planned) => {
    const rehearsed = found.get(planned.name);
    if (!rehearsed || !isBackingOff(planned)) return rehearsed ?? planned;
    return isRefused(rehearsed)
      ? { ...rehearsed, plan: { ...rehearsed.plan, ...also(planned) } }
      : { ...planned, plan: { ...planned.plan, ...foundBy(rehearsed) } };
  });
}

function isRefused({ plan }: PlannedCertificate): boolean {
  return plan.decision === 'wait' && isForPerson(plan.reason);
}

function isOrder({ plan }: PlannedCertificate): boolean {
  return plan.decision === 'order';
}

function isBackingOff({ plan }: PlannedCertificate): boolean {
  return plan.decision === 'wait' && plan.reason === 'BackingOff';
}

function liftBackOff(planned: PlannedCertificate, now: Date): PlannedCertificate {
  const situation = { ...planned.situation, nextAttempt: undefined };
  return { ...planned, plan: planOne({ ...planned, situation }, now) };
}

/** What the rehearsal of an order found that would not stop it. */
function foundBy({ plan: { warnings, zones } }: PlannedCertificate) {
  return { ...(warnings && { warnings }), ...(zones && { zones }) };
}

/** When the pass would try it again. */
function also({ plan }: PlannedCertificate) {
  return plan.decision === 'wait' && plan.until ? { until: plan.until } : {};
}

type FindOrderObstacle = NonNullable<OrderingPorts['findObstacle']>;

/** Those of the orders that their CA would refuse, each with its reason. Where another of its issuers would
 *  take it, that is a warning. */
async function heedAuthorities(
  ordered: readonly PlannedCertificate[],
  findObstacle: FindOrderObstacle,
  { inventory, signal }: IssueInvocation,
): Promise<readonly PlannedCertificate[]> {
  const asked = new PromiseCache<string | undefined>();
  const ask = (issuer: string, domains: readonly string[]) =>
    asked.get(`${issuer} ${domains.length}`, async () => {
      const { profile } = inventory.issuers[issuer] ?? {};
      return findObstacle(issuer, { domains, profile }, signal).catch(describeError);
    });
  const judged = await mapConcurrently(ordered, concurrency, async (planned) => {
    const { plan, spec, situation, entry } = planned;
    if (!spec || resumes(situation.pending, entry?.state)) return [];
    const { issuer } = situation.desired;
    const obstacle = await ask(issuer, spec.domains);
    if (obstacle === undefined) return [];
    const words = `issuer ${issuer}: ${obstacle}`;
    const others = issuersOf(spec, inventory.issuers).filter(({ name }) => name !== issuer);
    const found = await Promise.all(others.map(({ name }) => ask(name, spec.domains)));
    if (found.includes(undefined)) {
      return [{ ...planned, plan: { ...plan, warnings: [...(plan.warnings ?? []), words] } }];
    }
    const message = withNeed(words, plan.message);
    const { name, warnings = [] } = plan;
    return [
      {
        ...planned,
        plan: { name, decision: 'wait' as const, reason: 'PreflightFailed' as const, message, warnings },
      },
    ];
  });
  return judged.flat();
}
