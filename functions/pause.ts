// Pauses and resumes the ordering of certificates. Called by hand.
import { randomUUID } from 'node:crypto';
import { connectSecretsManager } from '../lib/adapters/secrets-manager/connection.ts';
import { type PauseOutcome, pauseCertificates } from '../lib/pause/pause.ts';
import { parsePauseEvent } from '../lib/requests/requests.ts';
import { beginInvocation, type Context, throwFailures } from './runtime/invocation.ts';

/** What a call answers with. */
export interface PauseAnswer {
  readonly certificates: readonly PauseOutcome[];
}

/** @throws AggregateError once all is tried where a certificate could not be paused or resumed. */
export async function handler(event: unknown, context: Context): Promise<PauseAnswer> {
  const request = parsePauseEvent(event);
  const invocation = await beginInvocation(context);
  const secrets = connectSecretsManager({ prefix: invocation.settings.prefix, uuid: randomUUID });
  try {
    const { clock, log } = invocation;
    const ports = { store: secrets.certificates, clock, log };
    const { certificates, failures } = await pauseCertificates(request, ports, invocation);
    throwFailures(failures, 'certificates');
    return { certificates };
  } finally {
    secrets.close();
  }
}
