// Signs in to the cluster that this runs in, by the service account that Kubernetes gives to every pod.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClusterAccess, ClusterError } from '../../ports/cluster.ts';

/** Where Kubernetes puts a pod's token and the authority of its API server. */
const usualFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface ServiceAccountOptions {
  /** The inventory's name of the cluster, for messages. */
  readonly name: string;
  /** URL of the API server; absent where this runs in no pod. */
  readonly server: string | undefined;
  readonly folder?: string | undefined;
}

/** Access by the files in the folder. The token is read for each call, for Kubernetes exchanges it long before it ends.
 *  @throws ClusterError `SignInFailed` where this runs in no pod, or the pod has no service account's token. */
export async function readServiceAccount(options: ServiceAccountOptions): Promise<ClusterAccess> {
  const { name, server, folder = usualFolder } = options;
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
    onRefusal: `the token in ${folder} is wrong or has expired`,
  };
}
