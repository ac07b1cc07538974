// Takes over a certificate or an ACME account that another tool made. Called by hand.
import { randomUUID } from 'node:crypto';
import {
  connectSecretsManager,
  type SecretsManagerConnection,
} from '../lib/adapters/secrets-manager/connection.ts';
import { type AccountImportAnswer, importAccount } from '../lib/import/account.ts';
import { type ImportAnswer, importCertificate } from '../lib/import/certificate.ts';
import type { TakeoverAnswer } from '../lib/import/takeover.ts';
import type { ConnectDirectory } from '../lib/ports/cluster.ts';
import { CertrelayError } from '../lib/ports/errors.ts';
import { type ImportRequest, parseImportEvent } from '../lib/requests/import.ts';
import { beginInvocation, type Context, type Invocation } from './runtime/invocation.ts';
import { connectDirectories } from './wiring/clusters.ts';

/** Answers with what was imported. @throws CertrelayError with the reason as code where it is refused. */
export async function handler(
  event: unknown,
  context: Context,
): Promise<ImportAnswer | TakeoverAnswer | AccountImportAnswer> {
  const request = parseImportEvent(event);
  const invocation = await beginInvocation(context);
  const secrets = connectSecretsManager({ prefix: invocation.settings.prefix, uuid: randomUUID });
  try {
    const answer = await carryOut(request, secrets, invocation);
    if (answer.outcome === 'refused') throw new CertrelayError(answer.reason, answer.message);
    return answer;
  } finally {
    secrets.close();
  }
}

async function carryOut(
  { account, secret, from, ...request }: ImportRequest,
  secrets: SecretsManagerConnection,
  invocation: Invocation,
): Promise<ImportAnswer | TakeoverAnswer | AccountImportAnswer> {
  const { settings, clock, log } = invocation;
  const { certificates: store, accounts, readText } = secrets;
  const connect = connectDirectories(invocation, secrets);
  if (account) {
    const readMaterial = (signal: AbortSignal) =>
      account.from ? readSecret(account.from, connect, signal) : readText(account.secret ?? '', signal);
    return importAccount(account, { accounts, readMaterial, log }, invocation);
  }
  const { keyMaker: keys } = await import('../lib/adapters/acme/keys.ts');
  const ports = { store, keys, clock, log };
  if (from) {
    const { takeOverSecret } = await import('../lib/import/takeover.ts');
    return takeOverSecret({ ...request, from }, { ...ports, connect }, invocation);
  }
  const { certificate = '' } = request;
  const source = { certificate, secret: secret ?? `${settings.prefix}/import/${certificate}` };
  return importCertificate(source, { ...ports, readText }, invocation);
}

/** A Secret in a cluster, as kubectl prints it. */
async function readSecret(
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
