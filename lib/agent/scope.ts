// Cuts an inventory down to the part that one cluster's agent needs.
import type { ClusterSignIn } from '../certificate/cluster-spec.ts';
import type { Inventory } from '../certificate/spec.ts';
import { targetsIn } from '../policy/delivery/agents.ts';
import { ConfigError } from '../ports/errors.ts';

/** The inventory with this cluster only, the certificates that go there, and their targets there.
 *  @param signIn How the agent reaches its cluster; it replaces `agent: true`.
 *  @throws ConfigError `Inventory` if the inventory does not say `agent: true` for the cluster. */
export function cutInventory(inventory: Inventory, cluster: string, signIn: ClusterSignIn): Inventory {
  const spec = Object.hasOwn(inventory.clusters, cluster) ? inventory.clusters[cluster] : undefined;
  if (!spec || !('agent' in spec)) {
    const message = `the inventory does not say "agent: true" for a cluster "${cluster}"; correct CERTRELAY_CLUSTER or the inventory`;
    throw new ConfigError('Inventory', message);
  }
  const { agent: _, ...settings } = spec;
  return {
    ...inventory,
    clusters: { [cluster]: { ...settings, ...signIn } },
    certificates: inventory.certificates
      .map((certificate) => ({ ...certificate, targets: targetsIn(certificate.targets, cluster) }))
      .filter(({ targets }) => targets.length > 0),
  };
}

/** The inventory to give to a cluster's agent: the cluster, the certificates that go there with their targets
 *  there, what may be registered for it, and the issuers' names and directories (an agent orders nothing).
 *  `cutInventory` gives the same result for it as for the whole inventory.
 *  @throws ConfigError `Inventory` if the inventory does not say `agent: true` for the cluster. */
export function partForAgent(inventory: Inventory, cluster: string): Inventory {
  const spec = inventory.clusters[cluster];
  const { certificates } = cutInventory(inventory, cluster, { inCluster: true });
  if (!spec) throw new TypeError('a cluster that was cut out is there');
  const targets = targetsIn(inventory.registration?.targets ?? [], cluster);
  const registration =
    inventory.registration && targets.length > 0 ? { ...inventory.registration, targets } : undefined;
  const asking = [...certificates, ...(registration ? [registration] : [])];
  const names = new Set(asking.flatMap(({ issuer, fallbackIssuers = [] }) => [issuer, ...fallbackIssuers]));
  const issuers = Object.entries(inventory.issuers).filter(([name]) => names.has(name));
  return {
    issuers: Object.fromEntries(
      issuers.map(([name, { directory, agreeToTerms }]) => [name, { directory, agreeToTerms, contact: [] }]),
    ),
    clusters: { [cluster]: spec },
    certificates,
    ...(registration ? { registration } : {}),
  };
}
