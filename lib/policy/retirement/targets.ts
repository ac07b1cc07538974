// Says what becomes of each target of a certificate that is let go.
import {
  type Inventory,
  isSecretTarget,
  type SecretTarget,
  type TargetSpec,
} from '../../certificate/spec.ts';
import { isAgentCluster } from '../delivery/agents.ts';
import { nameDestination } from '../delivery/secret-plan.ts';

/** What becomes of one target. `prune`: `deploy` deletes the Secret once nothing uses it. `agent`: the agent
 *  of its cluster does. `stays`: nobody does, and `message` says how a person can. */
export interface TargetEnd {
  /** As `nameDestination` writes it. */
  readonly target: string;
  readonly end: 'prune' | 'agent' | 'stays';
  readonly message: string;
}

type Clusters = Pick<Inventory, 'clusters'>;

/** What becomes of each target, in their order. */
export function planTargetEnds(
  certificate: string,
  targets: readonly TargetSpec[],
  inventory: Clusters,
): readonly TargetEnd[] {
  return targets.map((target) => ({
    target: nameDestination(target, certificate),
    ...planTargetEnd(target, inventory),
  }));
}

/** The same for targets of which only names are known. @param names As `nameDestination` writes them. */
export function planNamedEnds(names: readonly string[], inventory: Clusters): readonly TargetEnd[] {
  return names.flatMap((name): readonly TargetEnd[] => {
    const [cluster = '', namespace = '', secret] = name.split('/');
    if (secret === undefined) return [];
    const end =
      cluster === 'acm' ? endOfImport(namespace) : endOfSecret({ cluster, namespace, secret }, inventory);
    return [{ target: name, ...end }];
  });
}

function planTargetEnd(target: TargetSpec, inventory: Clusters): Omit<TargetEnd, 'target'> {
  return isSecretTarget(target) ? endOfSecret(target, inventory) : endOfImport(target.acm.region);
}

function endOfImport(region: string): Omit<TargetEnd, 'target'> {
  const message = `the import stays; where nothing uses it any more, delete it in ACM in ${region}`;
  return { end: 'stays', message };
}

type SecretPlace = Pick<SecretTarget, 'cluster' | 'namespace' | 'secret'>;

function endOfSecret(target: SecretPlace, inventory: Clusters): Omit<TargetEnd, 'target'> {
  const { cluster, namespace, secret } = target;
  if (!Object.hasOwn(inventory.clusters, cluster)) {
    return { end: 'stays', message: `the Secret stays: the inventory has no cluster ${cluster}` };
  }
  if (!isPruned(target, inventory)) {
    const message = `the Secret stays: cluster ${cluster} does not say "prune" for namespace ${namespace}; delete it with kubectl -n ${namespace} delete secret ${secret}`;
    return { end: 'stays', message };
  }
  return isAgentCluster(cluster, inventory)
    ? { end: 'agent', message: `the agent of cluster ${cluster} deletes the Secret once nothing uses it` }
    : { end: 'prune', message: 'deploy deletes the Secret once nothing uses it' };
}

/** Whether Secrets without a target are deleted in the target's namespace. */
export function isPruned(
  { cluster, namespace }: Omit<SecretPlace, 'secret'>,
  { clusters }: Clusters,
): boolean {
  const prune = Object.hasOwn(clusters, cluster) ? clusters[cluster]?.prune : undefined;
  return prune === true || (prune?.includes(namespace) ?? false);
}
