// Sends whole requests to the queue of the function that is to work on them.
import type { RequestQueue } from '../../ports/queues.ts';
import { openQueue, type QueueOptions } from './queue.ts';

/** `RequestQueue` over SQS. The first message opens a connection; `close` closes it. */
export function connectRequestQueue(options: QueueOptions): RequestQueue & { close(): void } {
  const queue = openQueue(options);
  return {
    send: (request, id, signal) => queue.send(request, id, {}, signal),
    close: () => queue.close(),
  };
}
