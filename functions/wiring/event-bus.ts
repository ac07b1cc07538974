// Connects to the event bus, if the settings name one.
import type { Announce } from '../../lib/ports/events.ts';
import type { Closing } from '../runtime/define-function.ts';
import { openLazily } from './lazily.ts';

/** Puts events on the bus. The client is loaded with the first event; `closing` ends it. */
export function announceOn(bus: string, closing: Closing): Announce {
  const open = openLazily(async () => {
    const { connectEventBus } = await import('../../lib/adapters/eventbridge/event-bus.ts');
    return connectEventBus({ bus });
  }, closing);
  return async (...delivered) => (await open()).announce(...delivered);
}
