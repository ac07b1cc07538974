// Imports a certificate or an ACME account that another tool made. Called by hand.
import { type AnyImportAnswer, importRequested } from '../lib/import/import.ts';
import { CertrelayError, PartError } from '../lib/ports/errors.ts';
import { parseImportEvent } from '../lib/requests/import.ts';
import { defineFunction, type Outcome, reportFailure } from './runtime/define-function.ts';
import { connectDirectories } from './wiring/clusters.ts';
import { generateKeyLazily } from './wiring/keys.ts';
import { openSecrets } from './wiring/secrets.ts';

/** Answers with what was imported. A refusal is a failure with its reason as code. */
export const handler = defineFunction({
  name: 'import',
  parse: parseImportEvent,
  connect(invocation, closing) {
    const { clock, log } = invocation;
    const { certificates: store, accounts, readText } = openSecrets(invocation, closing);
    const connect = connectDirectories(invocation, { readText });
    return { store, accounts, readText, connect, keys: { generate: generateKeyLazily }, clock, log };
  },
  async run(request, ports, invocation): Promise<Outcome<AnyImportAnswer>> {
    const { prefix } = invocation.settings;
    const answer = await importRequested(request, ports, { ...invocation, prefix });
    if (answer.outcome !== 'refused') return { answer };
    const part = 'certificate' in answer ? answer.certificate : answer.issuer;
    const failure = new PartError(part, new CertrelayError(answer.reason, answer.message));
    reportFailure(failure.cause, invocation.log);
    return { answer, failures: [failure] };
  },
});
