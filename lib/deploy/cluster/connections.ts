// One connection to a cluster for a whole pass, where it first delivers there and prunes at its end.
import type { Cluster, ConnectCluster } from '../../ports/cluster.ts';

/** Connections of which some stay open until the pass is over. */
export interface SharedConnections {
  /** To a cluster that is kept, it connects at the first call and gives the same answer to each later one, be it a failure;
   *  whoever closes what it gives ends nothing. Any other is connected to anew. */
  readonly connect: ConnectCluster;
  /** Ends all that are kept. */
  close(): Promise<void>;
}

/** The same clusters as `connect` gives. @param kept Names of those that are worked in more than once. */
export function shareConnections(connect: ConnectCluster, kept: readonly string[]): SharedConnections {
  const opened = new Map<string, Promise<Cluster>>();
  return {
    async connect(name, signal) {
      if (!kept.includes(name)) return connect(name, signal);
      const cluster = opened.get(name) ?? connect(name, signal);
      opened.set(name, cluster);
      return { ...(await cluster), close: async () => undefined };
    },
    async close() {
      const recorded = await Promise.allSettled(opened.values());
      const clusters = recorded.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      await Promise.all(clusters.map((cluster) => cluster.close()));
    },
  };
}
