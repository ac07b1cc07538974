// Sends messages to the queue that the issue function reads.
import type { IssueQueue } from '../../ports/queues.ts';
import { openQueue, type QueueOptions } from './queue.ts';

/** As `openQueue`. */
export function connectIssueQueue(options: QueueOptions): IssueQueue & { close(): void } {
  const queue = openQueue(options);
  return {
    send: (certificates, id, { delaySeconds, fruitless, compare }, signal) => {
      const event = { certificates, ...(fruitless ? { fruitless } : {}), ...(compare ? { compare } : {}) };
      return queue.send(event, id, { delaySeconds }, signal);
    },
    close: () => queue.close(),
  };
}
