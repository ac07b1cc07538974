// Imports a certificate or an ACME account that another tool made. Called by hand.
import { importRequested } from '../lib/import/import.ts';
import { CertrelayError } from '../lib/ports/errors.ts';
import { parseImportEvent } from '../lib/requests/import.ts';
import { defineFunction } from './runtime/define-function.ts';
import { connectDirectories } from './wiring/clusters.ts';
import { generateKeyLazily } from './wiring/keys.ts';
import { openSecrets } from './wiring/secrets.ts';

/** Answers with what was imported. @throws CertrelayError with the reason as code if the import is
 *  refused. */
export const handler = defineFunction({
  parse: parseImportEvent,
  connect(invocation, closing) {
    const { clock, log } = invocation;
    const { certificates: store, accounts, readText } = openSecrets(invocation, closing);
    const connect = connectDirectories(invocation, { readText });
    return { store, accounts, readText, connect, keys: { generate: generateKeyLazily }, clock, log };
  },
  async run(request, ports, invocation) {
    const { prefix } = invocation.settings;
    const answer = await importRequested(request, ports, { ...invocation, prefix });
    if (answer.outcome === 'refused') throw new CertrelayError(answer.reason, answer.message);
    return { answer };
  },
});
