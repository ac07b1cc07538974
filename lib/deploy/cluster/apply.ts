// Applies one Secret as planned. If somebody else changed it meanwhile, it is observed and planned again.
import { compareStored, nameTarget } from '../../policy/delivery/secret-plan.ts';
import type { ClusterSecret } from '../../policy/kubernetes/objects.ts';
import { ClusterError } from '../../ports/cluster.ts';
import type { SecretWork } from '../plan/secret-decision.ts';
import type { DeliverPlan, ReturnPlan, TargetPlan } from '../plan/target-plan.ts';
import type { ClusterContext } from './context.ts';
import { observeAndPlan, planReturnTo } from './observe.ts';

/** How often a Secret is planned again because somebody else changed it at the same time. */
const attempts = 3;

/** A plan to create a Secret is made again after so long: the API server does not say if somebody created it
 *  meanwhile, as it does for one that has changed. */
const staleMs = 5_000;

/** Applies the plan's Secret if it differs from what it should be, and verifies what the cluster stored.
 *  Returns the plan that was carried out: another than the given one after a conflict, even one that leaves
 *  the target.
 *  @throws ClusterError if the Secret cannot be updated; `Rejected` if the cluster stored something else. */
export async function applySecret(
  plan: DeliverPlan | ReturnPlan,
  context: ClusterContext,
): Promise<TargetPlan> {
  const isStale = plan.work.plan.action === 'create' && isOlderThan(plan.work.seenAt, staleMs, context);
  let current: TargetPlan = isStale ? await planAgain(plan, context) : plan;
  for (let attempt = 1; ; attempt += 1) {
    if (current.kind === 'leave' || current.work.plan.action === 'keep') return current;
    try {
      await write(current.work, nameTarget(current.job.target), context);
      return current;
    } catch (error) {
      const isRace = error instanceof ClusterError && error.code === 'Conflict';
      if (!isRace || attempt === attempts) throw error;
      current = await planAgain(current, context);
    }
  }
}

function isOlderThan(instant: Date, ms: number, { ports: { clock } }: ClusterContext): boolean {
  return clock.now().getTime() - instant.getTime() > ms;
}

function planAgain(plan: DeliverPlan | ReturnPlan, context: ClusterContext): Promise<TargetPlan> {
  context.secrets.forget(plan.job.target);
  if (plan.kind === 'deliver') return observeAndPlan(plan.job, context);
  return planReturnTo(plan.job, plan.freeze, { delivery: plan.work.delivery }, context);
}

/** @throws ClusterError `Rejected` if the cluster stored something else than was applied. */
async function write(work: SecretWork, name: string, context: ClusterContext): Promise<void> {
  const different = compareStored(work, await applyWork(work, context));
  if (different.length === 0) return;
  const what = `the cluster ${different.join(', ')} of Secret ${name} before storing it`;
  throw new ClusterError(
    'Rejected',
    `${what}; find the admission webhook or policy that changes Secrets, and exclude this Secret from it`,
  );
}

async function applyWork(
  { plan, desired, found }: SecretWork,
  { cluster, invocation: { signal } }: ClusterContext,
): Promise<ClusterSecret> {
  if (plan.action !== 'replace' || !found) {
    return cluster.applySecret(desired, { manager: 'certrelay', over: found }, signal);
  }
  await cluster.deleteSecret(desired.namespace, desired.name, found, signal);
  const created = await cluster.applySecret(desired, { manager: 'certrelay' }, signal);
  if (Object.values({ ...plan.kept.data, ...plan.kept.labels, ...plan.kept.annotations }).length === 0)
    return created;
  return cluster.applySecret(plan.kept, { manager: 'certrelay-kept', over: created }, signal);
}
