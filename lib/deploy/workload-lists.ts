// The workloads of one cluster's namespaces, listed once for all targets that ask.
import { type WorkloadKind, workloadKinds } from '../certificate/spec.ts';
import type { Cluster } from '../cluster-ports.ts';
import type { Workload } from '../policy/cluster-objects.ts';

/** Remembers the lists of one cluster for one run. Every call fails as `Cluster.listWorkloads` does. */
export class WorkloadLists {
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;
  readonly #lists = new Map<string, Promise<readonly Workload[]>>();

  constructor(cluster: Cluster, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#signal = signal;
  }

  /** The namespace's workloads of the given kinds (all where none are given), as of the first time they were asked for. */
  async get(namespace: string, kinds: readonly WorkloadKind[] = workloadKinds): Promise<readonly Workload[]> {
    const lists = [...new Set(kinds)].map((kind) => {
      const known = this.#lists.get(`${kind}/${namespace}`);
      return known ?? this.refresh(namespace, kind);
    });
    return (await Promise.all(lists)).flat();
  }

  /** As of now. */
  refresh(namespace: string, kind: WorkloadKind): Promise<readonly Workload[]> {
    const list = this.#cluster.listWorkloads(namespace, kind, this.#signal);
    this.#lists.set(`${kind}/${namespace}`, list);
    return list;
  }
}
