// Connects to the clusters of the inventory. Each way to sign in is loaded with the first cluster that uses
// it.
import { readFile } from 'node:fs/promises';
import type { EksDescription } from '../../lib/adapters/eks/clusters.ts';
import type { SecretsManagerConnection } from '../../lib/adapters/secrets-manager/connection.ts';
import { PromiseCache } from '../../lib/async/promise-cache.ts';
import type { ClusterSpec, KubeconfigSource } from '../../lib/certificate/cluster-spec.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import {
  type ClusterAccess,
  ClusterError,
  type ConnectCluster,
  type ConnectDirectory,
} from '../../lib/ports/cluster.ts';
import { wordsOf } from '../../lib/ports/errors.ts';
import type { Log } from '../../lib/ports/log.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { unknownPart } from '../../lib/requests/unknown.ts';
import type { Invocation } from '../runtime/invocation.ts';

type Surroundings = Pick<Invocation, 'id' | 'settings' | 'inventory' | 'clock' | 'log'> &
  Partial<Pick<Invocation, 'workUntil'>>;
type ReadText = Pick<SecretsManagerConnection, 'readText'>;

/** Share of the remaining time that one cluster may spend waiting for answers. The rest is for the clusters
 *  that answer. */
const shareOfTime = 3 / 4;

/** Makes one part of the Kubernetes client. */
type Connect<C> = (options: {
  readonly name: string;
  readonly access: ClusterAccess;
  readonly refresh: ((signal: AbortSignal) => Promise<ClusterAccess>) | undefined;
  readonly attemptMs: number | undefined;
  readonly shareMs: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}) => C;

/** Connects to clusters by their name in the inventory, for delivery. */
export function connectClusters(surroundings: Surroundings, secrets: ReadText): ConnectCluster {
  return connectBy(
    async () => (await import('../../lib/adapters/kubernetes/cluster.ts')).connectCluster,
    surroundings,
    secrets,
  );
}

/** As `connectClusters`, to read the objects that use certificates. */
export function connectDirectories(surroundings: Surroundings, secrets: ReadText): ConnectDirectory {
  return connectBy(
    async () => (await import('../../lib/adapters/kubernetes/directory.ts')).connectDirectory,
    surroundings,
    secrets,
  );
}

/** `load` is called with the first cluster, because the client is large. */
function connectBy<C>(
  load: () => Promise<Connect<C>>,
  surroundings: Surroundings,
  secrets: ReadText,
): (name: string, signal: AbortSignal) => Promise<C> {
  const { inventory, workUntil, clock, log } = surroundings;
  return async (name, signal) => {
    const spec = inventory.clusters[name];
    if (!spec) {
      const unknown = unknownPart('the inventory has no cluster', name, Object.keys(inventory.clusters));
      throw new ClusterError('SignInFailed', wordsOf(unknown));
    }
    const open = await openAccess(name, spec, surroundings, secrets);
    const openAs = async (...args: Parameters<typeof open>) => applySettings(name, spec, await open(...args));
    const [connect, access] = await Promise.all([load(), openAs(signal)]);
    const refresh = 'eks' in spec ? (during: AbortSignal) => openAs(during, 'again') : undefined;
    const attemptMs = spec.timeoutSeconds === undefined ? undefined : spec.timeoutSeconds * 1000;
    const leftMs = workUntil && workUntil.getTime() - clock.now().getTime();
    const shareMs = leftMs && Math.max(0, leftMs) * shareOfTime;
    return connect({ name, access, refresh, attemptMs, shareMs, clock, log });
  };
}

// Answers of EKS about its clusters, kept as long as the process lives.
const described = new PromiseCache<EksDescription>();

/** Returns a function that gives access to a cluster. With `again`, EKS is asked anew. */
async function openAccess(
  name: string,
  spec: ClusterSpec,
  { id, settings, clock }: Surroundings,
  { readText }: ReadText,
): Promise<(signal: AbortSignal, again?: 'again') => Promise<ClusterAccess>> {
  if ('agent' in spec) throw new ClusterError('SignInFailed', `only its agent reaches the cluster "${name}"`);
  if ('eks' in spec) {
    const { openEks } = await import('../../lib/adapters/eks/clusters.ts');
    return openEks({ name, spec: spec.eks, memory: described, sessionName: `certrelay-${id}`, clock });
  }
  if ('inCluster' in spec) {
    const { readServiceAccount } = await import('../../lib/adapters/kubernetes/service-account.ts');
    const folder = spec.inCluster === true ? undefined : spec.inCluster.folder;
    return () => readServiceAccount({ name, server: spec.server ?? settings.kubernetesServer, folder });
  }
  const { kubeconfig: source } = spec;
  return async (signal) => {
    const read = 'file' in source ? readFile(source.file, 'utf8') : readText(source.secret, signal);
    const text = await read.catch((cause: unknown) => {
      signal.throwIfAborted();
      const message = `the kubeconfig of cluster ${name} cannot be read${adviseName(source, cause, settings.prefix)}`;
      throw new ClusterError('SignInFailed', message, { cause });
    });
    const { readKubeconfig } = await import('../../lib/adapters/kubernetes/kubeconfig.ts');
    return readKubeconfig(name, text);
  };
}

/** Settings of the inventory win over those of the sign-in. */
async function applySettings(name: string, spec: ClusterSpec, access: ClusterAccess): Promise<ClusterAccess> {
  const { server, caBundle, proxy } = spec;
  if (server === undefined && caBundle === undefined && proxy === undefined) return access;
  return {
    ...access,
    server: server ?? access.server,
    ca: caBundle === undefined ? access.ca : await readBundle(name, caBundle),
    proxy: proxy ?? access.proxy,
    origin: `${access.origin}, or at the cluster in the inventory`,
  };
}

async function readBundle(name: string, bundle: string | { readonly file: string }): Promise<string> {
  if (typeof bundle === 'string') return bundle;
  return readFile(bundle.file, 'utf8').catch((cause: unknown) => {
    throw new ClusterError('SignInFailed', `the caBundle of cluster ${name} cannot be read`, { cause });
  });
}

/** The inventory accepts any name, because the role may be widened. Only a refusal shows that it was not. */
function adviseName(source: KubeconfigSource, error: unknown, prefix: string): string {
  const folder = `${prefix}/clusters/`;
  const isDenied = error instanceof StoreError && error.code === 'Denied';
  if (!isDenied || !('secret' in source) || source.secret.startsWith(folder)) return '';
  return ` (deploy's role allows AWS secrets below ${folder}: name it so, or widen ReadKubeconfigs in infra/template/roles.yml)`;
}
