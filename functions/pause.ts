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
    const answer: PauseAnswer | string = request.isFromWidget ? answerPerson(certificates) : { certificates };
    return { answer, failures };
  },
});

/** One sentence for the person who pressed a button. */
function answerPerson(certificates: readonly PauseOutcome[]): string {
  return certificates.map(describeOutcome).join(' ');
}

function describeOutcome({ name, since, until }: PauseOutcome): string {
  if (!since) return `${name} is not paused: it is ordered when due.`;
  const end = until ? `${until.toISOString()}, when the pause ends by itself` : 'somebody ends the pause';
  return `${name} is paused and not ordered until ${end}.`;
}
