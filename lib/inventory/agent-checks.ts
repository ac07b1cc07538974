// Finds mistakes about clusters that only an agent reaches: names that IAM confuses, and too many clusters.
import type { InventoryMistake } from './problems.ts';

/** Limit for one certificate. Each such cluster takes two of the 50 tags of its AWS secret. */
const mostAgentClusters = 4;

/** The part of an inventory's outline that is checked here. */
interface Outline {
  readonly clusters: Readonly<Record<string, unknown>>;
  readonly certificates: readonly {
    readonly targets: readonly { readonly cluster?: string | undefined }[];
  }[];
}

/** Finds agent clusters whose names differ only in case, and certificates
 *  that go to more than 4 agent clusters. */
export function findAgentMistakes({ clusters, certificates }: Outline): readonly InventoryMistake[] {
  const agents = new Set(Object.keys(clusters).filter((name) => isAgent(clusters[name])));
  // IAM ignores case in condition keys.
  const similarNames = [...agents].flatMap((name, index, all) => {
    const other = all.slice(0, index).find((earlier) => earlier.toLowerCase() === name.toLowerCase());
    if (other === undefined) return [];
    const message = `differs from ${other} only in case, so AWS would let each agent read the other's certificates; use another name`;
    return [{ path: ['clusters', name], message }];
  });
  const tooMany = certificates.flatMap(({ targets }, index) => {
    const agentClusters = new Set(
      targets.flatMap(({ cluster = '' }) => (agents.has(cluster) ? [cluster] : [])),
    );
    if (agentClusters.size <= mostAgentClusters) return [];
    const message = `go to ${agentClusters.size} clusters that only agents reach; the limit for a certificate is ${mostAgentClusters}, so split it into several`;
    return [{ path: ['certificates', index, 'targets'], message }];
  });
  return [...similarNames, ...tooMany];
}

function isAgent(cluster: unknown): boolean {
  return typeof cluster === 'object' && cluster !== null && 'agent' in cluster;
}
