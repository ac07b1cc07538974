// Revokes a certificate after another one has replaced it. Called by hand.
import { keepFailures, once } from '../lib/async/promise-cache.ts';
import { issueCertificates } from '../lib/issue/issue.ts';
import { CertrelayError, PartError } from '../lib/ports/errors.ts';
import { createProbeServed } from '../lib/probe/probe-served.ts';
import { parseRevokeEvent } from '../lib/requests/requests.ts';
import { type RevokeAnswer, type RevokePorts, revokeCertificate } from '../lib/revoke/revoke.ts';
import { type Closing, defineFunction, type Outcome, reportFailure } from './runtime/define-function.ts';
import type { Invocation } from './runtime/invocation.ts';
import { connectEvents } from './wiring/event-bus.ts';
import { generateSigningKey, openOrdering } from './wiring/ordering.ts';
import { connectProbe } from './wiring/probing.ts';
import { openSecrets } from './wiring/secrets.ts';

/** Answers with what was revoked. A refusal is a failure with its reason as code. */
export const handler = defineFunction({
  name: 'revoke',
  parse: parseRevokeEvent,
  connect,
  async run(request, ports, invocation): Promise<Outcome<RevokeAnswer>> {
    const answer = await revokeCertificate(request, ports, invocation);
    if (answer.outcome !== 'refused') return { answer };
    const failure = new PartError(request.certificate, new CertrelayError(answer.reason, answer.message));
    reportFailure(failure.cause, invocation.log);
    return { answer, failures: [failure] };
  },
});

function connect(invocation: Invocation, closing: Closing): RevokePorts {
  const { settings, log, clock } = invocation;
  const secrets = openSecrets(invocation, closing);
  const { certificates: store, installation } = secrets;
  const putEvents = connectEvents(settings, closing);
  const open = once(() => openOrdering(invocation, secrets, closing), keepFailures);
  return {
    store,
    connect: async (...issuer) => (await open()).connect(...issuer),
    // Ordered by the issue story, with the same checks, claim and limits.
    async orderAnew(name) {
      const { report, failures } = await issueCertificates(
        { certificates: [name], force: true },
        {
          store,
          installation,
          signingKey: (signal) => secrets.signingKey(generateSigningKey, signal),
          openOrdering: open,
          putEvents,
          clock,
          log,
        },
        { ...invocation, issueIntervalMs: settings.intervals.issue },
      );
      for (const failure of failures.values()) throw failure;
      return report.certificates[0]?.message ?? 'nothing was ordered';
    },
    probeServed: createProbeServed(connectProbe(settings)),
    putEvents,
    clock,
    log,
  };
}
