// Connects to the queue of `issue`, for work that `issue` leaves for later. SQS is loaded with the first
// message.
import { once } from '../../lib/async/promise-cache.ts';
import type { IssueQueue } from '../../lib/ports/queues.ts';
import type { Closing } from '../runtime/define-function.ts';

/** Opens no connection before the first message; `closing` ends it. */
export function openIssueQueueLazily(url: string, closing: Closing): IssueQueue {
  const open = once(async () => {
    const { connectIssueQueue } = await import('../../lib/adapters/sqs/issue-queue.ts');
    const queue = connectIssueQueue({ url });
    closing.push(() => queue.close());
    return queue;
  });
  return { send: async (...message) => (await open()).send(...message) };
}
