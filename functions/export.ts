// Exports stored certificates. Called by hand.
import { type Exported, exportCertificates } from '../lib/export/export.ts';
import { mostAnswerBytes, takeFitting } from '../lib/policy/bounds.ts';
import { ConfigError } from '../lib/ports/errors.ts';
import { parseExportEvent } from '../lib/requests/requests.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openSecrets } from './wiring/secrets.ts';

/** Answer to a call. It contains private keys if the event asks for them. Neither Lambda nor Certrelay logs
 *  answers. */
export interface ExportAnswer {
  readonly certificates: readonly Exported[];
}

/** @throws AggregateError if a certificate could not be exported; then there is no answer. */
export const handler = defineFunction({
  name: 'export',
  parse: parseExportEvent,
  connect(invocation, closing) {
    const { certificates: store, readText } = openSecrets(invocation, closing);
    return { store, readText, clock: invocation.clock, log: invocation.log };
  },
  async run(request, ports, invocation) {
    const { certificates, failures } = await exportCertificates(request, ports, invocation);
    const isTooMuch = takeFitting(certificates, mostAnswerBytes).length < certificates.length;
    if (isTooMuch && (failures.length === 0 || invocation.wantsReport)) {
      const message = 'the certificates are more than one answer may hold: ask for fewer at once';
      throw new ConfigError('Event', message);
    }
    const answer: ExportAnswer = { certificates };
    return { answer, failures };
  },
});
