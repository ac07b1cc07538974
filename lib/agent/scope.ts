// What of an inventory is an agent's business: its own cluster's targets, and how it reaches that cluster from inside.
import type { ClusterSignIn } from '../certificate/cluster-spec.ts';
import type { Inventory } from '../certificate/spec.ts';
import { targetsIn } from '../policy/delivery/agents.ts';
import { ConfigError } from '../ports/errors.ts';

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

/** The part of the inventory that the agent of a cluster needs, to be given to it in place of the whole: its cluster, the
 *  certificates that go there with their targets there, what may be registered for it, and issuers by name and directory alone,
 *  since an agent orders nothing. `cutInventory` makes the same of it as of the whole.
 *  @throws ConfigError `Inventory` as `cutInventory`. */
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
