// Signs in to the cluster that this process runs in, with the service account of its pod.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClusterAccess, ClusterError } from '../../ports/cluster.ts';

/** Where Kubernetes mounts a pod's token and the CA certificate of its API server. */
const defaultFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Where the service account is found. */
export interface ServiceAccountOptions {
  /** Name of the cluster in the inventory, for messages. */
  readonly name: string;
  /** URL of the API server; `undefined` if this process does not run in a pod. */
  readonly server: string | undefined;
  /** Folder with `token` and `ca.crt`. Default: where Kubernetes mounts them. */
  readonly folder?: string | undefined;
}

/** The access by a service account. The token is read again for each call, because Kubernetes replaces it
 *  before it expires.
 *  @throws ClusterError `SignInFailed` if this process does not run in a pod, or the pod has no token. */
export async function readServiceAccount(options: ServiceAccountOptions): Promise<ClusterAccess> {
  const { name, server, folder = defaultFolder } = options;
  if (server === undefined) {
    const message = `cluster ${name} is inCluster, but KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: run this in a pod of it, or give the cluster a server`;
    throw new ClusterError('SignInFailed', message);
  }
  const read = async (file: string): Promise<string> => {
    try {
      return (await readFile(join(folder, file), 'utf8')).trim();
    } catch (cause) {
      const message = `the service account of cluster ${name} has no ${file} in ${folder}: is automountServiceAccountToken off?`;
      throw new ClusterError('SignInFailed', message, { cause });
    }
  };
  await read('token');
  return {
    server,
    ca: await read('ca.crt'),
    token: () => read('token'),
    origin: 'the service account',
    onRefusal: `the token in ${folder} is wrong or has expired; check the ServiceAccount of this pod, and restart it`,
  };
}
