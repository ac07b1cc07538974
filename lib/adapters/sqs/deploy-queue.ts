// Sends messages to the queue that the deploy function reads.
import type { DeployQueue } from '../../ports/queues.ts';
import { openQueue, type QueueOptions } from './queue.ts';

/** As `openQueue`. */
export function connectDeployQueue(options: QueueOptions): DeployQueue & { close(): void } {
  const queue = openQueue(options);
  return {
    send: (cluster, id, signal) => queue.send({ clusters: [cluster] }, id, {}, signal),
    close: () => queue.close(),
  };
}
