// Splits what is to be done in a cluster: portions that are planned at once, and groups that are carried out
// at once.
import type { Job } from '../invocation.ts';
import type { DeliverPlan, ReturnPlan } from './target-plan.ts';

/** Targets that are planned before any of them is changed. More would hold up the first one, and memory. */
const portionSize = 200;

/** The jobs in portions of at most 200, those of one namespace side by side. */
export function splitIntoPortions(jobs: readonly Job[]): readonly (readonly Job[])[] {
  const byNamespace = Map.groupBy(jobs, ({ target }) => target.namespace);
  const portions: Job[][] = [];
  for (const own of byNamespace.values()) {
    const last = portions.at(-1);
    if (last && last.length + own.length <= portionSize) last.push(...own);
    else for (let at = 0; at < own.length; at += portionSize) portions.push(own.slice(at, at + portionSize));
  }
  return portions;
}

/** Plans that restart the same workload, directly or through others, in one group: all their Secrets are
 *  applied before it restarts, so that it restarts once. */
export function groupByWorkload<Plan extends DeliverPlan | ReturnPlan>(
  plans: readonly Plan[],
): readonly (readonly Plan[])[] {
  const groups = new Map<Plan, Set<Plan>>();
  const firstOf = new Map<string, Plan>();
  for (const plan of plans) {
    groups.set(plan, new Set([plan]));
    for (const { action, workload } of plan.waves.flat()) {
      if (action !== 'restart') continue;
      const key = `${plan.job.target.namespace}/${workload.kind}/${workload.name}`;
      const first = firstOf.get(key);
      if (first) merge(groups, first, plan);
      else firstOf.set(key, plan);
    }
  }
  return [...new Set(groups.values())].map((group) => [...group]);
}

function merge<Plan>(groups: Map<Plan, Set<Plan>>, one: Plan, other: Plan): void {
  const [into, from] = [groups.get(one), groups.get(other)];
  if (!into || !from || into === from) return;
  for (const plan of from) {
    into.add(plan);
    groups.set(plan, into);
  }
}
