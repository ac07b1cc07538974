// Sends messages to the queue that starts the deploy function.
import type { DeployQueue } from '../../ports/queues.ts';
import { openQueue, type QueueOptions } from './queue.ts';

/** `DeployQueue` over SQS. The first message opens a connection; `close` closes it. */
export function connectDeployQueue(options: QueueOptions): DeployQueue & { close(): void } {
  const queue = openQueue(options);
  return {
    send: (cluster, id, signal) => queue.send({ clusters: [cluster] }, id, {}, signal),
    close: () => queue.close(),
  };
}
