// Objects that controllers make: they are in no store, and follow from the workloads.
import type { KubernetesObject, ObjectStore } from './objects.ts';
import type { Rollouts } from './rollouts.ts';
import type { ResourceKind } from './status.ts';

interface Controlled {
  readonly objects: ObjectStore;
  readonly rollouts: Rollouts;
  readonly now: () => Date;
}

const kinds: readonly string[] = ['pods', 'replicasets'];

/** Pods or ReplicaSets of workloads in the namespace (empty: in all); none of any other kind. */
export function listOwned(
  { resource, kind }: Pick<ResourceKind, 'resource' | 'kind'>,
  namespace: string,
  { objects, rollouts, now }: Controlled,
): readonly KubernetesObject[] {
  if (!kinds.includes(resource)) return [];
  return listWorkloads(objects, namespace)
    .flatMap((workload) => rollouts.ownedBy(workload, now().getTime()))
    .filter((object) => object.kind === kind);
}

/** Deletes a pod of a workload, whose controller makes another. Returns whether there was such a pod. */
export function deleteOwned(
  name: string,
  namespace: string,
  { objects, rollouts, now }: Controlled,
): boolean {
  const at = now().getTime();
  const owner = listWorkloads(objects, namespace).find((workload) =>
    rollouts.ownedBy(workload, at).some((pod) => pod.kind === 'Pod' && pod.metadata.name === name),
  );
  if (owner) rollouts.deletePod(owner, name, at);
  return owner !== undefined;
}

function listWorkloads(objects: ObjectStore, namespace: string): readonly KubernetesObject[] {
  return ['deployments', 'statefulsets', 'daemonsets', 'rollouts'].flatMap((resource) =>
    objects.list(resource, namespace),
  );
}
