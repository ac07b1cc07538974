// The import story: imports a certificate (from an AWS secret or a cluster) or an ACME account.
import type { AccountStore } from '../ports/accounts.ts';
import type { ConnectDirectory } from '../ports/cluster.ts';
import type { ImportRequest } from '../requests/import.ts';
import { unknownPart } from '../requests/unknown.ts';
import { type AccountImportAnswer, importAccount } from './account.ts';
import {
  type ImportAnswer,
  type ImportInvocation,
  type ImportPorts,
  importCertificate,
} from './certificate.ts';
import type { MigrationAnswer } from './migration.ts';

/** The ports that any import needs. */
export interface AnyImportPorts extends ImportPorts {
  readonly accounts: AccountStore;
  readonly connect: ConnectDirectory;
}

/** One invocation of the import function. */
export interface AnyImportInvocation extends ImportInvocation {
  /** First part of AWS secret names. If the request names no AWS secret,
   *  `<prefix>/import/<certificate>` is read. */
  readonly prefix: string;
}

/** The answer to any import. A refusal has a `reason` and a `message`. */
export type AnyImportAnswer = ImportAnswer | MigrationAnswer | AccountImportAnswer;

/** Imports what the request names. May be called twice.
 *  @throws StoreError if the store, or ClusterError if the cluster cannot be read; ConfigError `Inventory` if
 *  the issuer is not in the inventory; PartError `Unknown` if the request names a cluster or an issuer that
 *  is not. */
export async function importRequested(
  { account, secret, from, ...request }: ImportRequest,
  ports: AnyImportPorts,
  invocation: AnyImportInvocation,
): Promise<AnyImportAnswer> {
  const { clusters, issuers } = invocation.inventory;
  refuseUnknown('the inventory has no cluster', (from ?? account?.from)?.cluster, clusters);
  refuseUnknown('the inventory has no issuer', request.issuer, issuers);
  if (account) {
    const { accounts, log } = ports;
    return importAccount(
      account,
      { accounts, readMaterial: readMaterialOf(account, ports), log },
      invocation,
    );
  }
  if (from) {
    const { migrateSecret } = await import('./migration.ts');
    return migrateSecret({ ...request, from }, ports, invocation);
  }
  const { certificate = '', selfSigned } = request;
  const source = { certificate, secret: secret ?? `${invocation.prefix}/import/${certificate}`, selfSigned };
  return importCertificate(source, ports, invocation);
}

function refuseUnknown(kind: string, name: string | undefined, known: object): void {
  if (name !== undefined && !Object.hasOwn(known, name)) throw unknownPart(kind, name, Object.keys(known));
}

function readMaterialOf(
  { from, secret = '' }: NonNullable<ImportRequest['account']>,
  { connect, readText }: AnyImportPorts,
): (signal: AbortSignal) => Promise<string> {
  return (signal) => (from ? readClusterSecret(from, connect, signal) : readText(secret, signal));
}

/** The Kubernetes Secret as `kubectl get -o json` prints it. Without data if it does not exist. */
async function readClusterSecret(
  { cluster, namespace, secret }: NonNullable<ImportRequest['from']>,
  connect: ConnectDirectory,
  signal: AbortSignal,
): Promise<string> {
  const directory = await connect(cluster, signal);
  try {
    const found = await directory.readFoundSecret(namespace, secret, signal);
    return JSON.stringify({ kind: 'Secret', data: found?.data ?? {} });
  } finally {
    await directory.close();
  }
}
