// Gives stored certificates to a person. Called by hand.

import { randomUUID } from 'node:crypto';
import { connectSecretsManager } from '../lib/adapters/secrets-manager/connection.ts';
import { type Exported, exportCertificates } from '../lib/export/export.ts';
import { mostAnswerBytes, takeFitting } from '../lib/policy/bounds.ts';
import { ConfigError } from '../lib/ports/errors.ts';
import { parseExportEvent } from '../lib/requests/requests.ts';
import { beginInvocation, type Context, throwFailures } from './runtime/invocation.ts';

/** What a call answers with. It holds private keys where the event asks for them: Lambda does not log answers, and
 *  neither does this project. */
export interface ExportAnswer {
  readonly certificates: readonly Exported[];
}

/** @throws AggregateError where a certificate could not be exported; then there is no answer. */
export async function handler(event: unknown, context: Context): Promise<ExportAnswer> {
  const request = parseExportEvent(event);
  const invocation = await beginInvocation(context);
  const secrets = connectSecretsManager({ prefix: invocation.settings.prefix, uuid: randomUUID });
  try {
    const ports = { store: secrets.certificates, readText: secrets.readText, log: invocation.log };
    const { certificates, failures } = await exportCertificates(request, ports, invocation);
    throwFailures(failures, 'certificates');
    if (takeFitting(certificates, mostAnswerBytes).length < certificates.length) {
      const message =
        'the certificates are more than one answer of a function may hold: ask for fewer at once';
      throw new ConfigError('Event', message);
    }
    return { certificates };
  } finally {
    secrets.close();
  }
}
