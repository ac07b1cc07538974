// Keeps one connection per cluster for a whole invocation that first delivers there and then prunes.
import { keepFailures, PromiseCache } from '../../async/promise-cache.ts';
import type { Cluster, ConnectCluster } from '../../ports/cluster.ts';

/** Connections to clusters, some of which stay open until `close`. */
export interface SharedConnections {
  /** Connects to a shared cluster once. Later calls give the same connection, or reject with the same error;
   *  `close` of a shared connection does nothing. Any other cluster gets a new connection at each call. */
  readonly connect: ConnectCluster;
  /** Closes all shared connections. */
  close(): Promise<void>;
}

/** Wraps `connect`. @param shared Names of the clusters whose connection is shared. */
export function shareConnections(connect: ConnectCluster, shared: readonly string[]): SharedConnections {
  const opened = new PromiseCache<Cluster>(keepFailures);
  return {
    async connect(name, signal) {
      if (!shared.includes(name)) return connect(name, signal);
      const cluster = await opened.get(name, () => connect(name, signal));
      return { ...cluster, close: async () => undefined };
    },
    async close() {
      const results = await Promise.allSettled(opened.all());
      const clusters = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      await Promise.all(clusters.map((cluster) => cluster.close()));
    },
  };
}
