// Lets certificates go, and restores them. Called by hand.
import { parseRetireEvent } from '../lib/requests/retire.ts';
import { type RetireReport, retireCertificates } from '../lib/retire/retire.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openIssueQueue } from './wiring/issue-queue.ts';
import { openSecrets } from './wiring/secrets.ts';

/** What a call answers with. */
export interface RetireAnswer extends RetireReport {
  readonly dryRun: boolean;
}

/** @throws AggregateError once all is tried where a certificate could not be let go or restored. */
export const handler = defineFunction({
  name: 'retire',
  parse: parseRetireEvent,
  connect(invocation, closing) {
    const { settings, clock, log } = invocation;
    const queue = openIssueQueue(settings, 'certificates that are let go or restored');
    closing.push(queue.close);
    const { certificates: store, retirements } = openSecrets(invocation, closing);
    return { store, retirements, queue, clock, log };
  },
  async run(request, ports, invocation) {
    const { report, failures } = await retireCertificates(request, ports, invocation);
    const answer: RetireAnswer = { dryRun: request.dryRun ?? false, ...report };
    return { answer, failures };
  },
});
