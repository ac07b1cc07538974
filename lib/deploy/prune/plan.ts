// Plans what happens to Kubernetes Secrets whose target was removed, in clusters with `prune`.

import { isSecretTarget } from '../../certificate/spec.ts';
import { isAgentCluster } from '../../policy/delivery/agents.ts';
import {
  findOrphanedSecrets,
  isAppliedByUs,
  type KnownTargets,
  type PrunePlan,
  planOrphan,
} from '../../policy/delivery/pruning.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { DeployInvocation, DeployPorts } from '../invocation.ts';
import type { DeliverySelection } from '../plan/selected.ts';
import { listUsers } from './users.ts';

/** Names of the clusters with `prune` that this invocation prunes. Empty if the request names certificates,
 *  targets or clusters: only an invocation over everything knows which Secrets have lost their target. */
export function findPrunedClusters({
  certificates,
  targets,
  clusters,
  inventory,
}: DeployInvocation): readonly string[] {
  if (certificates || targets || clusters) return [];
  return Object.entries(inventory.clusters)
    .filter(([name, { prune }]) => prune !== undefined && !isAgentCluster(name, inventory))
    .map(([name]) => name);
}

/** Looks in one cluster for Secrets of ours that have lost their target, and for what uses them. Returns one
 *  plan for each, changes nothing, and logs copies and what could not be found out. Never rejects.
 *  @param name One of `findPrunedClusters`. */
export async function planPruning(
  name: string,
  selections: readonly DeliverySelection[],
  ports: DeployPorts,
  { inventory, signal }: DeployInvocation,
): Promise<readonly PrunePlan[]> {
  const known = new Map(
    selections.flatMap((selection) => (selection.known ? [[selection.name, selection.known] as const] : [])),
  );
  const plans: PrunePlan[] = [];
  try {
    const cluster = await ports.connect(name, signal);
    try {
      for (const namespace of findNamespaces(name, inventory.clusters[name]?.prune, known))
        plans.push(...(await planNamespace({ cluster: name, namespace }, known, cluster, signal)));
    } finally {
      await cluster.close();
    }
  } catch (cause) {
    plans.push({ action: 'unknown', target: name, error: toError(cause) });
  }
  for (const plan of plans) logPlan(plan, ports);
  return plans;
}

function findNamespaces(
  name: string,
  prune: true | readonly string[] | undefined,
  known: ReadonlyMap<string, KnownTargets>,
): ReadonlySet<string> {
  if (prune !== true) return new Set(prune);
  const targets = [...known.values()].flatMap(({ targets: own, former = [] }) =>
    [...own, ...former].filter(isSecretTarget),
  );
  return new Set(targets.filter(({ cluster }) => cluster === name).map(({ namespace }) => namespace));
}

async function planNamespace(
  from: { readonly cluster: string; readonly namespace: string },
  known: ReadonlyMap<string, KnownTargets>,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<readonly PrunePlan[]> {
  try {
    const found = findOrphanedSecrets(from, await cluster.listSecrets(from.namespace, signal), known);
    if (found.length === 0) return [];
    const users = found.some(({ secret }) => isAppliedByUs(secret))
      ? await listUsers(from.namespace, cluster, signal).catch(toError)
      : { workloads: [], others: [], objects: [] };
    return found.map((orphan) => planOrphan(from, orphan, users));
  } catch (cause) {
    return [{ action: 'unknown', target: `${from.cluster}/${from.namespace}`, error: toError(cause) }];
  }
}

function logPlan(plan: PrunePlan, { log }: DeployPorts): void {
  const { certificate, target } = plan;
  if (plan.action === 'unknown' || plan.action === 'unseen') {
    const problem = plan.action === 'unknown' ? describeError(plan.error) : plan.message;
    log.warn('Secret not pruned', { certificate, target, problem });
  } else if (plan.action === 'keep' && plan.because === 'copied') {
    log.info('copy of a Secret kept', { certificate, target });
  }
}
