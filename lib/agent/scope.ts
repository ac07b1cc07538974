// What of an inventory is an agent's business: its own cluster's targets, and how it reaches that cluster from inside.
import type { ClusterSignIn } from '../certificate/cluster-spec.ts';
import type { Inventory } from '../certificate/spec.ts';
import { ConfigError } from '../config.ts';
import { targetsIn } from '../policy/agents.ts';

/** The inventory with nothing of other clusters in it. Certificates that do not go to this one are not in it either.
 *  @param signIn How the agent reaches the cluster, in place of "agent: true".
 *  @throws ConfigError `Inventory` where it does not say that an agent reaches the cluster. */
export function cutInventory(inventory: Inventory, cluster: string, signIn: ClusterSignIn): Inventory {
  const spec = Object.hasOwn(inventory.clusters, cluster) ? inventory.clusters[cluster] : undefined;
  if (!spec || !('agent' in spec)) {
    const message = `the inventory does not say "agent: true" of a cluster "${cluster}"; correct CERTRELAY_CLUSTER or the inventory`;
    throw new ConfigError('Inventory', message);
  }
  const { agent: _, ...settings } = spec;
  return {
    ...inventory,
    clusters: { [cluster]: { ...settings, ...signIn } },
    certificates: inventory.certificates
      .map((one) => ({ ...one, targets: targetsIn(one.targets, cluster) }))
      .filter(({ targets }) => targets.length > 0),
  };
}
