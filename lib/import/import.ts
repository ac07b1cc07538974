// Imports what another tool made: a certificate from an AWS secret or from a cluster, or an ACME account.
import type { AccountStore } from '../ports/accounts.ts';
import type { ConnectDirectory } from '../ports/cluster.ts';
import type { ImportRequest } from '../requests/import.ts';
import { type AccountImportAnswer, importAccount } from './account.ts';
import {
  type ImportAnswer,
  type ImportInvocation,
  type ImportPorts,
  importCertificate,
} from './certificate.ts';
import type { MigrationAnswer } from './migration.ts';

/** What an import stands on, whatever is imported. */
export interface AnyImportPorts extends ImportPorts {
  readonly accounts: AccountStore;
  readonly connect: ConnectDirectory;
}

/** One invocation. */
export interface AnyImportRun extends ImportInvocation {
  /** First part of the name of the AWS secret that is read where the request names none: `<prefix>/import/<name>`. */
  readonly prefix: string;
}

/** What became of it; a refusal has a `reason` and a `message`. */
export type AnyImportAnswer = ImportAnswer | MigrationAnswer | AccountImportAnswer;

/** Imports what the request names. May be called twice. @throws StoreError, ClusterError, ConfigError. */
export async function importRequested(
  { account, secret, from, ...request }: ImportRequest,
  ports: AnyImportPorts,
  invocation: AnyImportRun,
): Promise<AnyImportAnswer> {
  if (account) {
    const { accounts, log } = ports;
    return importAccount(
      account,
      { accounts, readMaterial: readMaterialOf(account, ports), log },
      invocation,
    );
  }
  if (from) {
    const { migrateSecret: takeOverSecret } = await import('./migration.ts');
    return takeOverSecret({ ...request, from }, ports, invocation);
  }
  const { certificate = '' } = request;
  const source = { certificate, secret: secret ?? `${invocation.prefix}/import/${certificate}` };
  return importCertificate(source, ports, invocation);
}

function readMaterialOf(
  { from, secret = '' }: NonNullable<ImportRequest['account']>,
  { connect, readText }: AnyImportPorts,
): (signal: AbortSignal) => Promise<string> {
  return (signal) => (from ? readClusterSecret(from, connect, signal) : readText(secret, signal));
}

/** A Secret in a cluster, as kubectl prints it. */
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
