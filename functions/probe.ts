// Looks at what is served under the names of certificates. Called by schedule and hand.

import { randomUUID } from 'node:crypto';
import { connectSecretsManager } from '../lib/adapters/secrets-manager/connection.ts';
import { mostAnswerBytes, takeFitting } from '../lib/policy/bounds.ts';
import { type ProbeReport, probeCertificates } from '../lib/probe/probe.ts';
import { parseProbeEvent } from '../lib/requests/requests.ts';
import { beginInvocation, type Context, throwFailures } from './runtime/invocation.ts';
import { connectLook } from './wiring/look.ts';

/** What a call answers with. */
export interface ProbeAnswer {
  readonly certificates: readonly ProbeReport[];
  /** How many more there are, where they are too many for an answer. */
  readonly omitted?: number;
}

/** @throws AggregateError once all is tried where a certificate could not be looked at to the end. What is served is in the
 *  answer and no error, whatever it is. */
export async function handler(event: unknown, context: Context): Promise<ProbeAnswer> {
  const request = parseProbeEvent(event);
  const invocation = await beginInvocation(context);
  const { settings, inventory, clock, log, signal, cleanUpSignal } = invocation;
  const secrets = connectSecretsManager({ prefix: settings.prefix, uuid: randomUUID });
  try {
    const ports = {
      store: secrets.certificates,
      ...connectLook(settings),
      clock,
      log,
    };
    const { staleAfterMs } = settings;
    const run = { ...request, inventory, staleAfterMs, signal, cleanUpSignal };
    const { certificates, failures } = await probeCertificates(ports, run);
    throwFailures(failures, 'certificates');
    const listed = takeFitting(certificates, mostAnswerBytes);
    const omitted = certificates.length - listed.length;
    return { certificates: listed, ...(omitted > 0 ? { omitted } : {}) };
  } finally {
    secrets.close();
  }
}
