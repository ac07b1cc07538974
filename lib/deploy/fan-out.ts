// Hands the clusters to passes of their own, so that none waits for another.
import type { Inventory } from '../certificate/spec.ts';
import { isAgentCluster } from '../policy/delivery/agents.ts';
import type { Log } from '../ports/log.ts';
import type { DeployQueue } from '../ports/queues.ts';
import type { DeployRequest } from '../requests/requests.ts';

/** The clusters that one pass over everything would go into, where there is more than one: what is asked by name, and a dry
 *  run, is for the pass that was asked. One that says `prune` stays: only a pass that has seen every certificate knows what
 *  is no longer wanted. */
export function findDelegatedClusters(request: DeployRequest, inventory: Inventory): readonly string[] {
  if (Object.keys(request).length > 0) return [];
  const clusters = Object.keys(inventory.clusters).filter((name) => !isAgentCluster(name, inventory));
  if (clusters.length < 2) return [];
  return clusters.filter((name) => inventory.clusters[name]?.prune === undefined);
}

/** Sends one message for each cluster; gives those that were sent. A cluster whose message fails stays with the pass that
 *  sends. `id` names that pass in the messages. */
export async function fanOut(
  clusters: readonly string[],
  { queue, log }: { readonly queue: DeployQueue; readonly log: Log },
  id: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (clusters.length === 0) return [];
  const sent = await Promise.allSettled(clusters.map((cluster) => queue.send(cluster, id, signal)));
  const delegated = clusters.filter((_, index) => sent[index]?.status === 'fulfilled');
  const problem = sent.find((result) => result.status === 'rejected')?.reason;
  if (problem !== undefined) log.warn('clusters not delegated', { problem: String(problem) });
  log.info('clusters delegated', { clusters: delegated });
  return delegated;
}
