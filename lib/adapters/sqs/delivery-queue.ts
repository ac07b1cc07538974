// Sends notices for single channels to the queue that starts the notify function.
import type { Clock } from '../../ports/clock.ts';
import type { DeliveryQueue } from '../../ports/notices.ts';
import { openQueue, type QueueOptions } from './queue.ts';

/** Longest delay of a message. */
const mostSeconds = 900;

/** `DeliveryQueue` over SQS. The first message opens a connection; `close` closes it. */
export function connectDeliveryQueue({
  clock,
  ...options
}: QueueOptions & { readonly clock: Clock }): DeliveryQueue & { close(): void } {
  const queue = openQueue(options);
  return {
    send(deliveries, id, signal) {
      const now = clock.now().getTime();
      const messages = deliveries.map((delivery) => {
        const waitMs = (delivery.notBefore?.getTime() ?? now) - now;
        const delaySeconds = Math.min(mostSeconds, Math.max(0, Math.ceil(waitMs / 1_000)));
        return { body: { schema: 1, delivery }, delaySeconds };
      });
      return queue.sendAll(messages, id, signal);
    },
    close: () => queue.close(),
  };
}
