// Sends messages to the queue that starts the issue function.
import type { IssueQueue } from '../../ports/queues.ts';
import { openQueue, type QueueOptions } from './queue.ts';

/** `IssueQueue` over SQS. The first message opens a connection; `close` closes it. */
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
