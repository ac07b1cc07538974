// The port to a cluster in memory, as one invocation has it: each call waits for its turn, and may fail.
import { createHash } from 'node:crypto';
import { describePatch } from '../../lib/adapters/kubernetes/secret-uses.ts';
import type { WorkloadReference } from '../../lib/certificate/rollout-spec.ts';
import type { RestartPatch, Workload } from '../../lib/policy/kubernetes/objects.ts';
import type { RunningPod } from '../../lib/policy/kubernetes/pods.ts';
import { type Cluster, ClusterError } from '../../lib/ports/cluster.ts';
import { StatusError } from '../sandbox/kubernetes/status.ts';
import type { MemoryCluster } from './cluster.ts';

/** Makes one call of the port: waits for its turn, and may fail. */
export type CallCluster = <T>(label: string, act: () => T, signal?: AbortSignal) => Promise<T>;

/** The port to the cluster for one invocation. */
export function clusterPort(cluster: MemoryCluster, call: CallCluster): Cluster {
  const at = (what: string, name: string) => `cluster.${what} ${cluster.name}/${name}`;
  return {
    readSecret: (_, name, signal) => call(at('readSecret', name), () => cluster.readSecret(name), signal),
    applySecret: (manifest, { manager, over }, signal) => {
      const act = () => {
        translate(() => cluster.applySecret(manifest, manager, over?.resourceVersion));
        const stored = cluster.readSecret(manifest.name);
        if (!stored) throw new ClusterError('NotFound', 'the Secret is gone');
        return stored;
      };
      return call(at('applySecret', manifest.name), act, signal);
    },
    listSecrets: (_, signal) => {
      const act = () =>
        cluster.ownSecrets().flatMap((name) => {
          const secret = cluster.readSecret(name);
          return secret ? [{ name, secret }] : [];
        });
      return call(at('listSecrets', '*'), act, signal);
    },
    deleteSecret: (_, name, over, signal) => {
      const act = () => translate(() => cluster.deleteSecret(name, over.resourceVersion));
      return call(at('deleteSecret', name), act, signal);
    },
    listWorkloads: (_, kind, signal) => {
      const act = () =>
        [...cluster.workloads.keys()]
          .filter((key) => key.startsWith(`${kind} `))
          .toSorted()
          .map((key) => cluster.readWorkload(key));
      return call(at('listWorkloads', kind), act, signal);
    },
    listOthers: (_, kind, signal) => call(at('listOthers', kind), () => [], signal),
    listPods: (_, signal) => call(at('listPods', '*'), () => listPods(cluster), signal),
    listTlsObjects: (_, kinds, signal) => call(at('listTlsObjects', kinds.join()), () => [], signal),
    listGrantedSources: (_, signal) => call(at('listGrantedSources', '*'), () => [], signal),
    restartWorkload: (_, reference, change, signal) => {
      const act = () => restart(cluster, reference, change);
      return call(at('restartWorkload', `${reference.kind} ${reference.name}`), act, signal);
    },
    close: async () => undefined,
  };
}

function listPods(cluster: MemoryCluster): readonly RunningPod[] {
  return [...cluster.workloads.values()].flatMap(({ habits: { kind, name }, pods }) =>
    pods.map(({ ordinal, template, createdAt, startedAt, readyAt }): RunningPod => {
      const revision = createHash('sha256').update(template).digest('hex').slice(0, 10);
      const owner =
        kind === 'Deployment' ? { kind: 'ReplicaSet', name: `${name}-${revision}` } : { kind, name };
      return {
        name: `${owner.name}-${ordinal}`,
        owner: { group: 'apps', ...owner },
        revision,
        createdAt: new Date(createdAt),
        isScheduled: true,
        isReady: readyAt <= cluster.now,
        starts: startedAt <= cluster.now ? [new Date(startedAt)] : [],
      };
    }),
  );
}

function restart(cluster: MemoryCluster, { kind, name }: WorkloadReference, change: RestartPatch): Workload {
  const key = `${kind} ${name}`;
  translate(() => cluster.patchWorkload(key, describePatch(change)));
  return cluster.readWorkload(key);
}

/** What the adapter makes of the API server's refusals. */
function translate(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const code =
      error.status === 409 ? 'Conflict' : error.status === 404 ? 'NotFound' : ('Rejected' as const);
    throw new ClusterError(code, error.message, { cause: error });
  }
}
