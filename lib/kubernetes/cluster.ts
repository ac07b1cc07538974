// A Kubernetes cluster over its API, for the deploy story.
import type { Cluster } from '../cluster-ports.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports.ts';
import { Connection } from './connection.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { otherCalls } from './others.ts';
import { secretCalls } from './secrets.ts';
import { workloadCalls } from './workloads.ts';

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
  return {
    ...secretCalls(name, connection),
    ...workloadCalls(name, connection),
    ...otherCalls(name, connection),
    close: () => connection.close(),
  };
}
