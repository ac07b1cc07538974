// Lists the workloads of a cluster's namespaces, once for all targets.
import { keepFailures, PromiseCache } from '../../async/promise-cache.ts';
import { type WorkloadKind, workloadKinds } from '../../certificate/rollout-spec.ts';
import { otherKinds, type Workload } from '../../policy/kubernetes/objects.ts';
import type { RunningPod } from '../../policy/kubernetes/pods.ts';
import { findOtherUsers, type SecretUser } from '../../policy/kubernetes/secret-users.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { describeError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';

/** The workload lists of one cluster, kept for one invocation.
 *  Every method but `others` throws as `Cluster.listWorkloads` does. */
export class WorkloadLists {
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  readonly #lists = new PromiseCache<readonly Workload[]>(keepFailures);
  readonly #pods = new PromiseCache<readonly RunningPod[]>(keepFailures);
  readonly #others = new PromiseCache<readonly SecretUser[]>(keepFailures);

  constructor(cluster: Cluster, log: Log, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#log = log;
    this.#signal = signal;
  }

  /** The namespace's workloads of the given kinds (default: all), as last listed. Lists a kind only if it has
   *  not been listed yet. */
  async get(namespace: string, kinds: readonly WorkloadKind[] = workloadKinds): Promise<readonly Workload[]> {
    const lists = [...new Set(kinds)].map((kind) =>
      this.#lists.get(`${kind}/${namespace}`, () => this.#list(namespace, kind)),
    );
    return (await Promise.all(lists)).flat();
  }

  /** The namespace's workloads of the given kinds (default: all), listed again. */
  async renew(
    namespace: string,
    kinds: readonly WorkloadKind[] = workloadKinds,
  ): Promise<readonly Workload[]> {
    return (await Promise.all([...new Set(kinds)].map((kind) => this.refresh(namespace, kind)))).flat();
  }

  /** What in the namespace uses Secrets and is not restarted by Certrelay. Leaves out kinds that cannot be
   *  listed, and logs them: the objects only appear in a warning, which is worth no extra permission and no
   *  failed delivery. Never rejects. */
  async others(namespace: string): Promise<readonly SecretUser[]> {
    return this.#others.get(namespace, () => this.#listOthers(namespace));
  }

  /** All pods of the namespace, as last listed. */
  pods(namespace: string): Promise<readonly RunningPod[]> {
    return this.#pods.get(namespace, () => this.#cluster.listPods(namespace, this.#signal));
  }

  /** All pods of the namespace, listed again. */
  async renewPods(namespace: string): Promise<readonly RunningPod[]> {
    const pods = await this.#cluster.listPods(namespace, this.#signal);
    return this.#pods.renew(namespace, async () => pods);
  }

  async #listOthers(namespace: string): Promise<readonly SecretUser[]> {
    const lists = otherKinds.map((kind) => this.#cluster.listOthers(namespace, kind, this.#signal));
    // Without the workloads the target fails, and whose pods are restarted is not known.
    const [results, workloads] = await Promise.all([
      Promise.allSettled(lists),
      this.get(namespace).catch(() => undefined),
    ]);
    for (const result of results) {
      if (result.status === 'fulfilled' || isNoSuchKind(result.reason)) continue;
      this.#log.debug('other users not listed', { namespace, problem: describeError(result.reason) });
    }
    const listed = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    return workloads ? findOtherUsers(listed, workloads) : [];
  }

  /** The namespace's workloads of one kind, listed again. */
  async refresh(namespace: string, kind: WorkloadKind): Promise<readonly Workload[]> {
    const workloads = await this.#list(namespace, kind);
    return this.#lists.renew(`${kind}/${namespace}`, async () => workloads);
  }

  #list(namespace: string, kind: WorkloadKind): Promise<readonly Workload[]> {
    return this.#cluster.listWorkloads(namespace, kind, this.#signal);
  }
}

function isNoSuchKind(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'NotFound';
}
