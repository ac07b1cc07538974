// The event bus, where the settings name one.
import type { EventBus } from '../../lib/adapters/eventbridge/event-bus.ts';
import type { Announce } from '../../lib/ports/events.ts';

/** The client is loaded with the first event. */
export function openEventBus(bus: string): { readonly announce: Announce; close(): Promise<void> } {
  let connecting: Promise<EventBus> | undefined;
  const connect = async () => {
    const { connectEventBus } = await import('../../lib/adapters/eventbridge/event-bus.ts');
    return connectEventBus({ bus });
  };
  return {
    async announce(delivered, signal) {
      connecting ??= connect();
      await (await connecting).announce(delivered, signal);
    },
    close: async () => (await connecting)?.close(),
  };
}
