// Looks at what is served under the names of certificates. Called by schedule and hand.
import { mostAnswerBytes, takeFitting } from '../lib/policy/bounds.ts';
import { type ProbeReport, probeCertificates } from '../lib/probe/probe.ts';
import { parseProbeEvent } from '../lib/requests/requests.ts';
import { defineFunction } from './runtime/define-function.ts';
import { recordPassEnd } from './runtime/pass-end.ts';
import { connectProbe } from './wiring/probing.ts';
import { openSecrets } from './wiring/secrets.ts';

/** What a call answers with. */
export interface ProbeAnswer {
  readonly certificates: readonly ProbeReport[];
  /** How many more there are, where they are too many for an answer. */
  readonly omitted?: number;
}

/** What is served is in the answer and no error, whatever it is. @throws AggregateError once all is tried
 *  where a certificate could not be probed to the end. */
export const handler = defineFunction({
  name: 'probe',
  parse: parseProbeEvent,
  connect(invocation, closing) {
    const { settings, clock, log } = invocation;
    const { certificates: store, operations } = openSecrets(invocation, closing);
    return { store, operations, ...connectProbe(settings), clock, log };
  },
  async run(request, ports, own) {
    const { settings, inventory, signal, cleanUpSignal } = own;
    const { staleAfterMs } = settings;
    const invocation = { ...request, inventory, staleAfterMs, signal, cleanUpSignal };
    const { certificates, failures } = await probeCertificates(ports, invocation);
    if (!request.certificates) await recordPassEnd('probe', ports.operations, own);
    const listed = takeFitting(certificates, mostAnswerBytes);
    const omitted = certificates.length - listed.length;
    const answer: ProbeAnswer = { certificates: listed, ...(omitted > 0 ? { omitted } : {}) };
    return { answer, failures };
  },
});
