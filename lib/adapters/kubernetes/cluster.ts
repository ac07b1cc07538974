// A Kubernetes cluster over its API, for the deploy story.
import type { Cluster } from '../../ports/cluster.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { otherCalls } from './others.ts';
import { secretCalls } from './secrets.ts';
import { tlsObjectCalls } from './tls-objects.ts';
import { workloadCalls } from './workloads.ts';

/** The cluster that `access` leads to. Nothing is asked of it yet: the first call connects. `name` is the inventory's, for
 *  messages. */
export function connectCluster({ name, ...options }: ConnectionOptions & { readonly name: string }): Cluster {
  const connection = new Connection(options);
  return {
    ...secretCalls(name, connection),
    ...workloadCalls(name, connection),
    ...otherCalls(name, connection),
    ...tlsObjectCalls(name, connection),
    close: () => connection.close(),
  };
}
