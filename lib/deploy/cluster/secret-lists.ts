// The Secrets of namespaces in which many targets should be unchanged: each namespace is listed once, where that is allowed.
import type { SecretTarget } from '../../certificate/spec.ts';
import { fewestListed } from '../../policy/kubernetes/cluster-roles.ts';
import type { ClusterSecret } from '../../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { describeError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { Job } from '../invocation.ts';

type SecretRef = Pick<SecretTarget, 'namespace' | 'secret'>;

/** Remembers the lists of one cluster for one run. */
export class KubernetesSecretLists {
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  /** Of each namespace, the targets that the certificate's tags say are done. */
  readonly #unchanged: ReadonlyMap<string, number>;
  readonly #lists = new Map<string, Promise<ReadonlyMap<string, ClusterSecret>>>();

  constructor(cluster: Cluster, jobs: readonly Job[], log: Log, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#log = log;
    this.#signal = signal;
    const done = jobs.filter(({ step }) => step === 'rolled-out');
    const byNamespace = Map.groupBy(done, ({ target }) => target.namespace);
    this.#unchanged = new Map([...byNamespace].map(([namespace, own]) => [namespace, own.length]));
  }

  /** The Secret as of the first time that one of its namespace was asked for; `undefined` where only reading it can tell.
   *  @throws ClusterError as `Cluster.listSecrets`, but not where listing is forbidden, or is too much at once. */
  async find({ namespace, secret }: SecretRef): Promise<ClusterSecret | undefined> {
    if ((this.#unchanged.get(namespace) ?? 0) < fewestListed) return undefined;
    const list = this.#lists.get(namespace) ?? this.#list(namespace);
    this.#lists.set(namespace, list);
    return (await list).get(secret);
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
