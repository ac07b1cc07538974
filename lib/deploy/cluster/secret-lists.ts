// Lists the Secrets of a namespace once, instead of reading each, if many of its targets should be unchanged.
import { keepFailures, PromiseCache } from '../../async/promise-cache.ts';
import type { SecretTarget } from '../../certificate/spec.ts';
import { minSecretsToList } from '../../policy/kubernetes/cluster-roles.ts';
import type { ClusterSecret } from '../../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { describeError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { Job } from '../invocation.ts';

type SecretRef = Pick<SecretTarget, 'namespace' | 'secret'>;

/** The Secret lists of one cluster, each loaded at most once per invocation. */
export class KubernetesSecretLists {
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  /** Number of targets per namespace that the tags say are complete. */
  readonly #unchanged: ReadonlyMap<string, number>;
  readonly #lists = new PromiseCache<ReadonlyMap<string, ClusterSecret>>(keepFailures);
  readonly #forgotten = new Set<string>();

  constructor(cluster: Cluster, jobs: readonly Job[], log: Log, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#log = log;
    this.#signal = signal;
    const done = jobs.filter(({ phase }) => phase === 'rolled-out');
    const byNamespace = Map.groupBy(done, ({ target }) => target.namespace);
    this.#unchanged = new Map([...byNamespace].map(([namespace, own]) => [namespace, own.length]));
  }

  /** The Secret from its namespace's list, as of the first call for that namespace. `undefined`: read it; the
   *  namespace has too few unchanged targets, may not be listed or is too large, or the list does not have
   *  the Secret.
   *  @throws ClusterError as `Cluster.listSecrets`, except `Forbidden` and `TooLarge`. */
  async find({ namespace, secret }: SecretRef): Promise<ClusterSecret | undefined> {
    const isFew = (this.#unchanged.get(namespace) ?? 0) < minSecretsToList;
    if (isFew || this.#forgotten.has(`${namespace}/${secret}`)) return undefined;
    const list = await this.#lists.get(namespace, () => this.#list(namespace));
    return list.get(secret);
  }

  /** Forgets what a list said of a Secret that has changed since: it is read from now on. */
  forget({ namespace, secret }: SecretRef): void {
    this.#forgotten.add(`${namespace}/${secret}`);
  }

  async #list(namespace: string): Promise<ReadonlyMap<string, ClusterSecret>> {
    try {
      const listed = await this.#cluster.listSecrets(namespace, this.#signal);
      return new Map(listed.map(({ name, secret }) => [name, secret]));
    } catch (error) {
      if (!(error instanceof ClusterError && ['Forbidden', 'TooLarge'].includes(error.code))) throw error;
      this.#log.debug('Secrets read one by one', { namespace, problem: describeError(error) });
      return new Map();
    }
  }
}
