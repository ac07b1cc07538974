// One connection to each cluster for a whole pass: what delivers there and what prunes there share it.
import type { Cluster, ConnectCluster } from '../cluster-ports.ts';

/** Connections that stay open until the pass is over. */
export interface PassConnections {
  /** Connects at the first call for a cluster, and gives the same answer to each later one, be it a failure. Whoever closes
   *  what it gives ends nothing. */
  readonly connect: ConnectCluster;
  /** Ends all of them. */
  close(): Promise<void>;
}

/** The same clusters as `connect` gives. */
export function shareConnections(connect: ConnectCluster): PassConnections {
  const opened = new Map<string, Promise<Cluster>>();
  return {
    async connect(name, signal) {
      const cluster = opened.get(name) ?? connect(name, signal);
      opened.set(name, cluster);
      return { ...(await cluster), close: async () => undefined };
    },
    async close() {
      const settled = await Promise.allSettled(opened.values());
      const clusters = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      await Promise.all(clusters.map((cluster) => cluster.close()));
    },
  };
}
