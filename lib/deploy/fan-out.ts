// Gives each cluster a deploy invocation of its own, so that no cluster waits for another.
import type { Inventory } from '../certificate/spec.ts';
import { isAgentCluster } from '../policy/delivery/agents.ts';
import type { Log } from '../ports/log.ts';
import type { DeployQueue } from '../ports/queues.ts';
import type { DeployRequest } from '../requests/requests.ts';

/** Names of the clusters that get an invocation of their own when a request is over everything (`{}`). Empty
 *  for any other request, and if there are fewer than two clusters. Leaves out clusters that only an agent
 *  reaches, and those with `prune`: only an invocation that has read every
 *  certificate knows which Secrets to delete. */
export function findDelegatedClusters(request: DeployRequest, inventory: Inventory): readonly string[] {
  if (Object.keys(request).length > 0) return [];
  const clusters = Object.keys(inventory.clusters).filter((name) => !isAgentCluster(name, inventory));
  if (clusters.length < 2) return [];
  return clusters.filter((name) => inventory.clusters[name]?.prune === undefined);
}

/** Queues one message for each cluster. Returns the clusters whose message was sent; the caller delivers to
 *  the others itself. `id` identifies the calling invocation in the messages. Never rejects. */
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
