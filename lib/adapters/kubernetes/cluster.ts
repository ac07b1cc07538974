// Connects to a Kubernetes cluster for delivery.
import type { Cluster } from '../../ports/cluster.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { otherWorkloadCalls } from './other-workloads.ts';
import { podCalls } from './pods.ts';
import { secretCalls } from './secrets.ts';
import { tlsObjectCalls } from './tls-objects.ts';
import { workloadCalls } from './workloads.ts';

/** One cluster. The first call connects. `name`: the cluster's in the inventory, for messages. */
export function connectCluster({ name, ...options }: ConnectionOptions & { readonly name: string }): Cluster {
  const connection = new Connection(options);
  return {
    ...secretCalls(name, connection),
    ...workloadCalls(name, connection),
    ...otherWorkloadCalls(name, connection),
    ...podCalls(name, connection),
    ...tlsObjectCalls(name, connection),
    close: () => connection.close(),
  };
}
