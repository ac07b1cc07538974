// Reports the state of everything. Called by schedule, for its log and metrics, and by hand.
import { parseStatusEvent } from '../lib/requests/requests.ts';
import { describeStatus } from '../lib/status/status.ts';
import { defineFunction } from './runtime/define-function.ts';
import { writeMetrics } from './runtime/metrics.ts';
import { openSecrets } from './wiring/secrets.ts';

/** Answers with the report. @throws AggregateError with everything that needs a person, if the event says
 *  `"check": true`. */
export const handler = defineFunction({
  parse: parseStatusEvent,
  connect(invocation, closing) {
    const { certificates: store, agents, installation, publicKey } = openSecrets(invocation, closing);
    const { clock, log } = invocation;
    return { store, agents, installation, publicKey, clock, log };
  },
  async run(request, ports, { settings, inventory, signal }) {
    const invocation = { ...request, inventory, staleAfterMs: settings.staleAfterMs, signal };
    const { report, problems } = await describeStatus(ports, invocation);
    if (!request.certificates) writeMetrics(report, ports.clock.now());
    return { answer: report, failures: request.check ? problems : [], failed: 'checks' };
  },
});
