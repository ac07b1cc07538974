// Lists the workloads of a cluster's namespaces, once for all targets.
import { keepFailures, PromiseCache } from '../../async/promise-cache.ts';
import { appsKinds, type WorkloadKind } from '../../certificate/rollout-spec.ts';
import { otherKinds, type Workload } from '../../policy/kubernetes/objects.ts';
import type { RunningPod } from '../../policy/kubernetes/pods.ts';
import { findOtherUsers, type SecretUser } from '../../policy/kubernetes/secret-users.ts';
import { type Cluster, ClusterError, type ClusterErrorCode } from '../../ports/cluster.ts';
import { describeError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';

/** The workload lists of one cluster, kept for one invocation.
 *  Every method but `others` throws as `Cluster.listWorkloads` does; Rollouts that cannot be listed are left
 *  out, unless their kind is asked for. */
export class WorkloadLists {
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  readonly #lists = new PromiseCache<readonly Workload[]>(keepFailures);
  readonly #pods = new PromiseCache<readonly RunningPod[]>(keepFailures);
  readonly #logged = new Set<string>();
  readonly #others = new PromiseCache<readonly SecretUser[]>(keepFailures);

  constructor(cluster: Cluster, log: Log, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#log = log;
    this.#signal = signal;
  }

  /** The namespace's workloads of the given kinds (default: all), as last listed. Lists a kind only if it has
   *  not been listed yet. */
  async get(namespace: string, kinds?: readonly WorkloadKind[]): Promise<readonly Workload[]> {
    const lists = [...new Set(kinds ?? appsKinds)].map((kind) => this.#getList(namespace, kind));
    const rollouts = kinds ? [] : this.#orNone(namespace, this.#getList(namespace, 'Rollout'));
    return (await Promise.all([...lists, rollouts])).flat();
  }

  /** The namespace's workloads of the given kinds (default: all), listed again. */
  async renew(namespace: string, kinds?: readonly WorkloadKind[]): Promise<readonly Workload[]> {
    const lists = [...new Set(kinds ?? appsKinds)].map((kind) => this.refresh(namespace, kind));
    return (await Promise.all([...lists, kinds ? [] : this.#renewRollouts(namespace)])).flat();
  }

  /** Without another call where there were none before. */
  async #renewRollouts(namespace: string): Promise<readonly Workload[]> {
    const known = this.#lists.known(`Rollout/${namespace}`);
    const before = known && (await this.#orNone(namespace, known).catch(() => undefined));
    return before?.length === 0 ? [] : this.#orNone(namespace, this.refresh(namespace, 'Rollout'));
  }

  /** No Rollouts where a cluster does not have the kind, or RBAC or a bent object hides them: most
   *  installations never restart one. Their pods name them then. */
  async #orNone(namespace: string, list: Promise<readonly Workload[]>): Promise<readonly Workload[]> {
    try {
      return await list;
    } catch (error) {
      if (!(error instanceof ClusterError && hidden.includes(error.code))) throw error;
      this.#logHidden(namespace, error);
      return [];
    }
  }

  #getList(namespace: string, kind: WorkloadKind): Promise<readonly Workload[]> {
    return this.#lists.get(`${kind}/${namespace}`, () => this.#list(namespace, kind));
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
      if (result.status === 'rejected') this.#logHidden(namespace, result.reason);
    }
    const listed = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    return workloads ? findOtherUsers(listed, workloads) : [];
  }

  /** Once for each problem. */
  #logHidden(namespace: string, error: unknown): void {
    const problem = describeError(error);
    if (isNoSuchKind(error) || this.#logged.has(problem)) return;
    this.#logged.add(problem);
    this.#log.debug('other users not listed', { namespace, problem });
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

/** Why Rollouts may be left out. Anything else is tried again in the next pass. */
const hidden: readonly ClusterErrorCode[] = ['NotFound', 'Forbidden', 'Malformed', 'TooLarge'];

function isNoSuchKind(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'NotFound';
}
