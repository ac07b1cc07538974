// Connects to a cluster for discovery and migration, which list the objects that use certificates.
import type { ClusterDirectory } from '../../ports/cluster.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { migrationToolCalls } from './migration-tools.ts';
import { tlsObjectCalls } from './tls-objects.ts';

/** The directory of one cluster. The first call connects. `name`: the cluster's in the inventory, for
 *  messages. */
export function connectDirectory({
  name,
  ...options
}: ConnectionOptions & { readonly name: string }): ClusterDirectory {
  const connection = new Connection(options);
  return {
    listTlsObjects: tlsObjectCalls(name, connection).listTlsObjects,
    ...migrationToolCalls(name, connection),
    close: () => connection.close(),
  };
}
