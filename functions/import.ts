// Takes over a certificate or an ACME account that another tool made. Called by hand.
import { randomUUID } from 'node:crypto';
import { CertrelayError } from '../lib/errors.ts';
import { type ImportRequest, parseImportEvent } from '../lib/events.ts';
import { type AccountImportAnswer, importAccount } from '../lib/import/account.ts';
import { type ImportAnswer, importCertificate } from '../lib/import/certificate.ts';
import { connectSecretsManager, type SecretsManagerConnection } from '../lib/secrets-manager/connection.ts';
import { beginInvocation, type Context, type Invocation } from './invocation.ts';

/** Answers with what was imported. @throws CertrelayError with the reason as code where it is refused. */
export async function handler(event: unknown, context: Context): Promise<ImportAnswer | AccountImportAnswer> {
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
  { certificate = '', secret, account }: ImportRequest,
  { certificates: store, accounts, readText }: SecretsManagerConnection,
  invocation: Invocation,
): Promise<ImportAnswer | AccountImportAnswer> {
  const { settings, clock, log } = invocation;
  if (account) return importAccount(account, { accounts, readText, log }, invocation);
  const { keyMaker: keys } = await import('../lib/acme/keys.ts');
  const from = { certificate, secret: secret ?? `${settings.prefix}/import/${certificate}` };
  return importCertificate(from, { store, keys, readText, clock, log }, invocation);
}
