// Lists the workloads of a cluster's namespaces, once for all targets.
import { type WorkloadKind, workloadKinds } from '../../certificate/spec.ts';
import { type OtherUser, otherKinds, type Workload } from '../../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { describeError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';

/** The workload lists of one cluster, kept for one invocation.
 *  Every method but `others` throws as `Cluster.listWorkloads` does. */
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

  /** The namespace's workloads of the given kinds (default: all), as last listed. Lists a kind only if it has
   *  not been listed yet. */
  async get(namespace: string, kinds: readonly WorkloadKind[] = workloadKinds): Promise<readonly Workload[]> {
    const lists = [...new Set(kinds)].map((kind) => {
      const known = this.#lists.get(`${kind}/${namespace}`);
      return known ?? this.refresh(namespace, kind);
    });
    return (await Promise.all(lists)).flat();
  }

  /** The namespace's workloads of the given kinds (default: all), listed again. */
  async renew(
    namespace: string,
    kinds: readonly WorkloadKind[] = workloadKinds,
  ): Promise<readonly Workload[]> {
    return (await Promise.all([...new Set(kinds)].map((kind) => this.refresh(namespace, kind)))).flat();
  }

  /** Objects of other kinds in the namespace that may use a Secret. Leaves out kinds that cannot be listed:
   *  the objects only appear in a warning, which is worth no extra permission. Never rejects. */
  async others(namespace: string): Promise<readonly OtherUser[]> {
    const known = this.#others.get(namespace);
    const list = known ?? this.#listOthers(namespace);
    this.#others.set(namespace, list);
    return list;
  }

  async #listOthers(namespace: string): Promise<readonly OtherUser[]> {
    const lists = otherKinds.map((kind) => this.#cluster.listOthers(namespace, kind, this.#signal));
    const results = await Promise.allSettled(lists);
    for (const result of results) {
      if (result.status === 'fulfilled' || isNoSuchKind(result.reason)) continue;
      this.#log.debug('other users not listed', { namespace, problem: describeError(result.reason) });
    }
    return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  /** The namespace's workloads of one kind, listed again. */
  refresh(namespace: string, kind: WorkloadKind): Promise<readonly Workload[]> {
    const list = this.#cluster.listWorkloads(namespace, kind, this.#signal);
    this.#lists.set(`${kind}/${namespace}`, list);
    return list;
  }
}

function isNoSuchKind(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'NotFound';
}
