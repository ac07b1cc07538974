// Revokes a certificate after another one has replaced it. Called by hand.
import { keepFailures, once } from '../lib/async/promise-cache.ts';
import { issueCertificates } from '../lib/issue/issue.ts';
import { CertrelayError } from '../lib/ports/errors.ts';
import { createProbeServed } from '../lib/probe/probe-served.ts';
import { parseRevokeEvent } from '../lib/requests/requests.ts';
import { type RevokePorts, revokeCertificate } from '../lib/revoke/revoke.ts';
import { type Closing, defineFunction } from './runtime/define-function.ts';
import { throwFailures } from './runtime/failures.ts';
import type { Invocation } from './runtime/invocation.ts';
import { generateSigningKey, openOrdering } from './wiring/ordering.ts';
import { connectProbe } from './wiring/probing.ts';
import { openSecrets } from './wiring/secrets.ts';

/** Answers with what was revoked. @throws CertrelayError with the reason as code if the revocation is
 *  refused. */
export const handler = defineFunction({
  parse: parseRevokeEvent,
  connect,
  async run(request, ports, invocation) {
    const answer = await revokeCertificate(request, ports, invocation);
    if (answer.outcome === 'refused') throw new CertrelayError(answer.reason, answer.message);
    return { answer };
  },
});

function connect(invocation: Invocation, closing: Closing): RevokePorts {
  const { settings, log, clock } = invocation;
  const secrets = openSecrets(invocation, closing);
  const { certificates: store, installation } = secrets;
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
          clock,
          log,
        },
        { ...invocation, issueIntervalMs: settings.intervals.issue },
      );
      throwFailures([...failures.values()], 'certificates');
      return report.certificates[0]?.message ?? 'nothing was ordered';
    },
    probeServed: createProbeServed(connectProbe(settings)),
    clock,
    log,
  };
}
