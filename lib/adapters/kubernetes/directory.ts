// The objects of a cluster that use certificates, over its API: read, and never written.
import type { ClusterDirectory } from '../../ports/cluster.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { migrationToolCalls } from './migration-tools.ts';
import { tlsObjectCalls } from './tls-objects.ts';

/** The directory of the cluster that `access` leads to. Nothing is asked of it yet: the first call connects. `name` is the
 *  inventory's, for messages. */
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
