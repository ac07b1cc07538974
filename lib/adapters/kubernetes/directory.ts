// The objects of a cluster that use certificates, over its API: read, and never written.
import type { Directory } from '../../ports/cluster.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { formerToolCalls } from './former-tools.ts';
import { tlsObjectCalls } from './tls-objects.ts';

/** The directory of the cluster that `access` leads to. Nothing is asked of it yet: the first call connects. `name` is the
 *  inventory's, for messages. */
export function connectDirectory({
  name,
  ...options
}: ConnectionOptions & { readonly name: string }): Directory {
  const connection = new Connection(options);
  return {
    listTlsObjects: tlsObjectCalls(name, connection).listTlsObjects,
    ...formerToolCalls(name, connection),
    close: () => connection.close(),
  };
}
