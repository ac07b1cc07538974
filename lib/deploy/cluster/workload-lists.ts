// The workloads of one cluster's namespaces, listed once for all targets that ask.
import { type WorkloadKind, workloadKinds } from '../../certificate/spec.ts';
import { type OtherUser, otherKinds, type Workload } from '../../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { describeError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';

/** Remembers the lists of one cluster for one run. Every call fails as `Cluster.listWorkloads` does. */
export class WorkloadLists {
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  readonly #lists = new Map<string, Promise<readonly Workload[]>>();
  readonly #others = new Map<string, Promise<readonly OtherUser[]>>();

  constructor(cluster: Cluster, log: Log, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#log = log;
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

  /** The same, as of now. */
  async renew(
    namespace: string,
    kinds: readonly WorkloadKind[] = workloadKinds,
  ): Promise<readonly Workload[]> {
    return (await Promise.all([...new Set(kinds)].map((kind) => this.refresh(namespace, kind)))).flat();
  }

  /** Objects of other kinds in the namespace. What may not be listed, or is no kind of this cluster, is left out: they are
   *  only named, and nobody has to give a right for that. Never rejects. */
  async others(namespace: string): Promise<readonly OtherUser[]> {
    const known = this.#others.get(namespace);
    const list = known ?? this.#listOthers(namespace);
    this.#others.set(namespace, list);
    return list;
  }

  async #listOthers(namespace: string): Promise<readonly OtherUser[]> {
    const lists = otherKinds.map((kind) => this.#cluster.listOthers(namespace, kind, this.#signal));
    const recorded = await Promise.allSettled(lists);
    for (const result of recorded) {
      if (result.status === 'fulfilled' || isNoSuchKind(result.reason)) continue;
      this.#log.debug('other users not listed', { namespace, problem: describeError(result.reason) });
    }
    return recorded.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  /** As of now. */
  refresh(namespace: string, kind: WorkloadKind): Promise<readonly Workload[]> {
    const list = this.#cluster.listWorkloads(namespace, kind, this.#signal);
    this.#lists.set(`${kind}/${namespace}`, list);
    return list;
  }
}

function isNoSuchKind(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'NotFound';
}
