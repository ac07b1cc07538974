// Connects to the queue of `issue`, for work that `issue` leaves for later. SQS is loaded with the first
// message.
import type { IssueQueue } from '../../lib/ports/queues.ts';
import type { Closing } from '../runtime/define-function.ts';
import { openLazily } from './lazily.ts';

/** Opens no connection before the first message; `closing` ends it. */
export function openIssueQueueLazily(url: string, closing: Closing): IssueQueue {
  const open = openLazily(async () => {
    const { connectIssueQueue } = await import('../../lib/adapters/sqs/issue-queue.ts');
    return connectIssueQueue({ url });
  }, closing);
  return { send: async (...message) => (await open()).send(...message) };
}
