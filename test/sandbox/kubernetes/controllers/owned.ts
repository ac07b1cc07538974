// Pods and ReplicaSets of workloads, as the API describes them.
import { type KubernetesObject, kubernetesObject } from '../objects.ts';
import type { Pod, Template } from './pods.ts';

/** Whether its pods belong to ReplicaSets. */
export function hasSets({ kind }: Pick<KubernetesObject, 'kind'>): boolean {
  return Object.hasOwn(hashLabels, kind);
}

const hashLabels: Readonly<Record<string, string>> = {
  Deployment: 'pod-template-hash',
  Rollout: 'rollouts-pod-template-hash',
};

/** A pod of the workload. */
export function describePod(
  owner: KubernetesObject,
  { name, revision, template, createdAt }: Pod,
  { isReady, node }: { readonly isReady: boolean; readonly node: string | undefined },
): KubernetesObject {
  const startedAt = toSeconds(createdAt);
  const controller = hasSets(owner) ? setOf(owner, revision) : owner;
  const label = hashLabels[owner.kind] ?? 'controller-revision-hash';
  return kubernetesObject.parse({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadataOf(owner, name, createdAt),
      labels: { ...template.metadata.labels, [label]: revision },
      annotations: template.metadata.annotations,
      ownerReferences: [refer(controller)],
    },
    spec: { ...template.spec, ...(node === undefined ? {} : { nodeName: node }) },
    status: {
      phase: node === undefined ? 'Pending' : 'Running',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
      ...(node === undefined
        ? {}
        : {
            containerStatuses: template.spec.containers.map((container) => ({
              name: container.name,
              ready: isReady,
              state: { running: { startedAt } },
            })),
          }),
    },
  });
}

/** The ReplicaSet of one of a Deployment's or Rollout's templates. */
export function describeReplicaSet(
  owner: KubernetesObject,
  {
    revision,
    template,
    replicas,
    ready,
  }: Readonly<Record<'replicas' | 'ready', number>> & {
    readonly revision: string;
    readonly template: Template;
  },
): KubernetesObject {
  const { kind, apiVersion, name } = setOf(owner, revision);
  const { creationTimestamp } = owner.metadata;
  const metadata = { ...metadataOf(owner, name, 0), creationTimestamp, ownerReferences: [refer(owner)] };
  const status = { replicas, readyReplicas: ready };
  return kubernetesObject.parse({ apiVersion, kind, metadata, spec: { replicas, template }, status });
}

function setOf(owner: KubernetesObject, revision: string) {
  const name = `${owner.metadata.name}-${revision}`;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name,
    metadata: { name, uid: `${owner.metadata.uid}-${revision}` },
  };
}

function refer({
  apiVersion,
  kind,
  metadata: { name, uid },
}: Pick<KubernetesObject, 'apiVersion' | 'kind'> & {
  readonly metadata: { readonly name: string; readonly uid?: string | undefined };
}): object {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function metadataOf(owner: KubernetesObject, name: string, createdAt: number) {
  return {
    name,
    namespace: owner.metadata.namespace,
    uid: `${owner.metadata.uid}-${name}-${createdAt}`,
    resourceVersion: owner.metadata.resourceVersion,
    creationTimestamp: toSeconds(createdAt),
  };
}

function toSeconds(instant: number): string {
  return new Date(instant).toISOString().replace(/\.\d+Z$/, 'Z');
}
