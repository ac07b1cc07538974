// Connects to the queue of `deploy`, for clusters that get their own invocation. SQS is loaded with the first
// message.
import { once } from '../../lib/async/promise-cache.ts';
import type { DeployQueue } from '../../lib/ports/queues.ts';
import type { Closing } from '../runtime/define-function.ts';

/** Opens no connection before the first message; `closing` ends it. */
export function openDeployQueueLazily(url: string, closing: Closing): DeployQueue {
  const open = once(async () => {
    const { connectDeployQueue } = await import('../../lib/adapters/sqs/deploy-queue.ts');
    const queue = connectDeployQueue({ url });
    closing.push(() => queue.close());
    return queue;
  });
  return { send: async (...message) => (await open()).send(...message) };
}
