// The clusters that the inventory names: their kubeconfigs come from an AWS secret or a file.
import { readFile } from 'node:fs/promises';
import type { KubeconfigSource } from '../lib/certificate/spec.ts';
import type { ConnectCluster } from '../lib/cluster-ports.ts';
import { ClusterError, StoreError } from '../lib/errors.ts';
import type { SecretsManagerConnection } from '../lib/secrets-manager/connection.ts';
import type { Invocation } from './invocation.ts';

/** Connects to clusters by their name in the inventory. The client is loaded with the first one. */
export function connectClusters(
  { settings, inventory, clock, log }: Pick<Invocation, 'settings' | 'inventory' | 'clock' | 'log'>,
  { readText }: Pick<SecretsManagerConnection, 'readText'>,
): ConnectCluster {
  return async (name, signal) => {
    const spec = inventory.clusters[name];
    if (!spec) throw new ClusterError('BadKubeconfig', `the inventory has no cluster "${name}"`);
    if ('agent' in spec)
      throw new ClusterError('BadKubeconfig', `only its agent reaches the cluster "${name}"`);
    const { kubeconfig: source } = spec;
    const read = readKubeconfig(source, (secret) => readText(secret, signal));
    const kubeconfig = await read.catch((cause: unknown) => {
      signal.throwIfAborted();
      const message = `the kubeconfig of cluster ${name} cannot be read${adviseName(source, cause, settings.prefix)}`;
      throw new ClusterError('BadKubeconfig', message, { cause });
    });
    const { connectCluster } = await import('../lib/kubernetes/cluster.ts');
    return connectCluster({ name, kubeconfig, clock, log });
  };
}

async function readKubeconfig(
  source: KubeconfigSource,
  readText: (secret: string) => Promise<string>,
): Promise<string> {
  return 'file' in source ? readFile(source.file, 'utf8') : readText(source.secret);
}

/** The inventory takes any name, for a role may have been widened; only a refusal tells that it was not. */
function adviseName(source: KubeconfigSource, error: unknown, prefix: string): string {
  const folder = `${prefix}/clusters/`;
  const isDenied = error instanceof StoreError && error.code === 'Denied';
  if (!isDenied || !('secret' in source) || source.secret.startsWith(folder)) return '';
  return ` (deploy's role allows AWS secrets below ${folder}: name it so, or widen ReadKubeconfigs in infra/roles.yml)`;
}
