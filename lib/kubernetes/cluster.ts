// A Kubernetes cluster over its API, for the deploy story.
import type { Cluster } from '../cluster-ports.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports.ts';
import { Connection } from './connection.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { Secrets } from './secrets.ts';
import { Workloads } from './workloads.ts';

/** The cluster that the current context of `kubeconfig` (YAML text) points at. Nothing is asked of it yet: the first call
 *  connects. `name` is the inventory's, for messages.
 *  @throws ClusterError `BadKubeconfig`. */
export function connectCluster(options: {
  readonly name: string;
  readonly kubeconfig: string;
  readonly clock: Clock;
  readonly log: Log;
}): Cluster {
  const { name, kubeconfig, clock, log } = options;
  const connection = new Connection(readKubeconfig(name, kubeconfig), { clock, log });
  const secrets = new Secrets(name, connection);
  const workloads = new Workloads(name, connection);
  return {
    readSecret: (namespace, secret, signal) => secrets.read(namespace, secret, signal),
    applySecret: (manifest, settings, signal) => secrets.apply(manifest, settings, signal),
    deleteSecret: (namespace, secret, over, signal) => secrets.delete(namespace, secret, over, signal),
    listWorkloads: (namespace, kind, signal) => workloads.list(namespace, kind, signal),
    restartWorkload: (namespace, workload, mark, signal) =>
      workloads.restart(namespace, workload, mark, signal),
    close: () => connection.close(),
  };
}
