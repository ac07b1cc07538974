// Revokes a certificate, after another one has taken its place. Called by hand.
import { randomUUID } from 'node:crypto';
import { connectSecretsManager } from '../lib/adapters/secrets-manager/connection.ts';
import { issueCertificates } from '../lib/issue/issue.ts';
import type { OrderingPorts } from '../lib/issue/run.ts';
import { CertrelayError } from '../lib/ports/errors.ts';
import { createLook } from '../lib/probe/look.ts';
import { parseRevokeEvent, type RevokeRequest } from '../lib/requests/requests.ts';
import { type RevokeAnswer, revokeCertificate } from '../lib/revoke/revoke.ts';
import { beginInvocation, type Context, type Invocation, throwFailures } from './runtime/invocation.ts';
import { connectLook } from './wiring/look.ts';
import { type Closing, generateSigningKey, openOrdering } from './wiring/ordering.ts';

/** Answers with what was revoked. @throws CertrelayError with the reason as code where it is refused. */
export async function handler(event: unknown, context: Context): Promise<RevokeAnswer> {
  const request = parseRevokeEvent(event);
  const answer = await revoke(request, await beginInvocation(context));
  if (answer.outcome === 'refused') throw new CertrelayError(answer.reason, answer.message);
  return answer;
}

/** The order is the issuing story's: the same checks, claim and limits. */
async function revoke(request: RevokeRequest, invocation: Invocation): Promise<RevokeAnswer> {
  const { settings, log, clock } = invocation;
  const secrets = connectSecretsManager({ prefix: settings.prefix, uuid: randomUUID });
  const { certificates: store } = secrets;
  const closing: Closing = [async () => secrets.close()];
  let ordering: Promise<OrderingPorts> | undefined;
  const open = () => {
    ordering ??= openOrdering(invocation, secrets, closing);
    return ordering;
  };
  const signingKey = (signal: AbortSignal) => secrets.signingKey(generateSigningKey, signal);
  const orderAnew = async (name: string) => {
    const question = { certificates: [name], force: true };
    const { report, failures } = await issueCertificates(
      question,
      { store, installation: secrets.installation, clock, log, openOrdering: open, signingKey },
      { ...invocation, issueIntervalMs: settings.intervals.issue },
    );
    throwFailures([...failures.values()], 'certificates');
    return report.certificates[0]?.message ?? 'nothing was ordered';
  };
  try {
    const connect: OrderingPorts['connect'] = async (...issuer) => (await open()).connect(...issuer);
    const lookAtServed = createLook(connectLook(settings));
    const ports = { store, connect, orderAnew, lookAtServed, clock, log };
    return await revokeCertificate(request, ports, invocation);
  } finally {
    await Promise.allSettled(closing.map((close) => close()));
  }
}
