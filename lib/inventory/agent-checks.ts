// Mistakes about clusters that only an agent reaches: their names become keys of tags, by which AWS tells them apart.
import type { InventoryMistake } from './problems.ts';

/** Of one certificate. Each takes two of the 50 tags that an AWS secret can have; the rest is the certificate's state. */
const mostAgentClusters = 4;

/** Of the outline of a file what is looked at here. */
interface Outline {
  readonly clusters: Readonly<Record<string, unknown>>;
  readonly certificates: readonly {
    readonly targets: readonly { readonly cluster?: string | undefined }[];
  }[];
}

/** Names that IAM would take for one, and certificates that go to too many such clusters. */
export function findAgentMistakes({ clusters, certificates }: Outline): readonly InventoryMistake[] {
  const agents = new Set(Object.keys(clusters).filter((name) => isAgent(clusters[name])));
  // IAM compares keys of conditions without regard to case.
  const alike = [...agents].flatMap((name, index, all) => {
    const other = all.slice(0, index).find((one) => one.toLowerCase() === name.toLowerCase());
    if (other === undefined) return [];
    const message = `differs from ${other} in case alone, and AWS would let the agent of one read for the other; write another name`;
    return [{ path: ['clusters', name], message }];
  });
  const many = certificates.flatMap(({ targets }, index) => {
    const own = new Set(targets.flatMap(({ cluster = '' }) => (agents.has(cluster) ? [cluster] : [])));
    if (own.size <= mostAgentClusters) return [];
    const message = `go to ${own.size} clusters that only agents reach, and a certificate can go to ${mostAgentClusters}; make several certificates of it`;
    return [{ path: ['certificates', index, 'targets'], message }];
  });
  return [...alike, ...many];
}

function isAgent(cluster: unknown): boolean {
  return typeof cluster === 'object' && cluster !== null && 'agent' in cluster;
}
