// Connects to the queue of `deploy`, for clusters that get their own invocation. SQS is loaded with the first
// message.
import type { DeployQueue } from '../../lib/ports/queues.ts';
import type { Closing } from '../runtime/define-function.ts';
import { openLazily } from './lazily.ts';

/** Opens no connection before the first message; `closing` ends it. */
export function openDeployQueueLazily(url: string, closing: Closing): DeployQueue {
  const open = openLazily(async () => {
    const { connectDeployQueue } = await import('../../lib/adapters/sqs/deploy-queue.ts');
    return connectDeployQueue({ url });
  }, closing);
  return { send: async (...message) => (await open()).send(...message) };
}
