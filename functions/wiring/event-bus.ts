// Connects to the event bus, if the settings name one.
import { once } from '../../lib/async/promise-cache.ts';
import type { Announce } from '../../lib/ports/events.ts';
import type { Closing } from '../runtime/define-function.ts';

/** Puts events on the bus. The client is loaded with the first event; `closing` ends it. */
export function announceOn(bus: string, closing: Closing): Announce {
  const open = once(async () => {
    const { connectEventBus } = await import('../../lib/adapters/eventbridge/event-bus.ts');
    const connection = connectEventBus({ bus });
    closing.push(() => connection.close());
    return connection;
  });
  return async (...delivered) => (await open()).announce(...delivered);
}
