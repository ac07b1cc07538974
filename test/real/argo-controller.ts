// Plays Argo's controller in a real cluster, as far as restarts go: the cluster makes the pods of its
// ReplicaSet, and takes the evictions.
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import type { Admin } from '../contracts/kubernetes-admin.ts';
import { definitionOf } from '../contracts/kubernetes-kinds.ts';

/** As Argo's own definition, the status is no part of what others write. */
export const argoDefinitionWithStatus = (() => {
  const { spec, ...definition } = definitionOf('argoproj.io', 'Rollout', 'v1alpha1');
  const versions = spec.versions.map((version) => ({ ...version, subresources: { status: {} } }));
  return { ...definition, spec: { ...spec, versions } };
})();

const rollout = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), uid: z.string() }),
  spec: z.object({
    replicas: z.number(),
    restartAt: z.string().optional(),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.looseObject({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) }),
  }),
  status: z.object({ restartedAt: z.string().optional() }).default({}),
});
type ArgoRollout = z.infer<typeof rollout>;

const pods = z.array(
  z.object({
    metadata: z.object({
      name: z.string(),
      creationTimestamp: z.string(),
      deletionTimestamp: z.string().optional(),
    }),
    status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
  }),
);

/** Looks after one Rollout of the namespace `shop` until the returned function is called.
 *  @param name Of a Rollout that exists. */
export async function runArgo(admin: Admin, name: string): Promise<() => Promise<void>> {
  const stop = new AbortController();
  const path = `/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/${name}`;
  await createReplicaSet(admin, rollout.parse(await admin.get(path)));
  const run = async () => {
    while (!stop.signal.aborted) {
      await reconcile(admin, path);
      await pause(100, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return async () => {
    stop.abort();
    await running;
  };
}

async function createReplicaSet(admin: Admin, { apiVersion, kind, metadata, spec }: ArgoRollout) {
  const hash = { 'rollouts-pod-template-hash': '1' };
  const labels = { ...spec.template.metadata.labels, ...hash };
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
  await admin.create('/apis/apps/v1/namespaces/shop/replicasets', {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: `${metadata.name}-1`, labels, ownerReferences: [owner] },
    spec: {
      replicas: spec.replicas,
      selector: { matchLabels: { ...spec.selector.matchLabels, ...hash } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  });
}

/** Evicts one pod at a time that is older than `restartAt`, while all others are ready. */
async function reconcile(admin: Admin, path: string): Promise<void> {
  const { metadata, spec, status } = rollout.parse(await admin.get(path));
  const { items } = await admin.get(`/api/v1/namespaces/shop/pods?labelSelector=app%3D${metadata.name}`);
  const own = pods.parse(items);
  const ready = own.filter(
    (pod) =>
      !pod.metadata.deletionTimestamp &&
      pod.status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  const instant = Date.parse(spec.restartAt ?? '');
  const isDue = status.restartedAt !== spec.restartAt && Date.now() > instant;
  const old = own.filter((pod) => Date.parse(pod.metadata.creationTimestamp) < instant);
  const [next] = isDue && ready.length >= spec.replicas ? old : [];
  if (next) {
    const { name } = next.metadata;
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'shop' } };
    await admin.create(`/api/v1/namespaces/shop/pods/${name}/eviction`, eviction);
  }
  const isOver = isDue && (old.length === 0 || (next !== undefined && old.length === 1));
  await admin.patch(`${path}/status`, {
    status: { availableReplicas: ready.length, ...(isOver ? { restartedAt: spec.restartAt } : {}) },
  });
}
