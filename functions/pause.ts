// Pauses and resumes the ordering of certificates. Called by hand.
import { type PauseOutcome, pauseCertificates } from '../lib/pause/pause.ts';
import { parsePauseEvent } from '../lib/requests/requests.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openSecrets } from './wiring/secrets.ts';

/** What a call answers with. */
export interface PauseAnswer {
  readonly certificates: readonly PauseOutcome[];
}

/** @throws AggregateError once all is tried where a certificate could not be paused or resumed. */
export const handler = defineFunction({
  name: 'pause',
  parse: parsePauseEvent,
  connect(invocation, closing) {
    const { clock, log } = invocation;
    return { store: openSecrets(invocation, closing).certificates, clock, log };
  },
  async run(request, ports, invocation) {
    const { certificates, failures } = await pauseCertificates(request, ports, invocation);
    const answer: PauseAnswer | string = request.isFromWidget
      ? describePause(certificates)
      : { certificates };
    return { answer, failures };
  },
});

/** One sentence for the person who pressed a button. */
function describePause(certificates: readonly PauseOutcome[]): string {
  const told = certificates.map(({ name, since }) =>
    since
      ? `${name} is paused and not ordered until somebody ends the pause.`
      : `${name} is not paused: it is ordered when due.`,
  );
  return told.join(' ');
}
