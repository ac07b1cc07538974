// Connects to the event bus, if the settings name one.
import type { PutEvents } from '../../lib/ports/events.ts';
import type { Settings } from '../../lib/settings/functions.ts';
import type { Closing } from '../runtime/define-function.ts';
import { openLazily } from './lazily.ts';

/** Puts events on the bus of the settings; `undefined`: they name none. The client is loaded with the first
 *  event; `closing` ends it. */
export function connectEvents(
  { eventBus: bus, prefix: installation }: Pick<Settings, 'eventBus' | 'prefix'>,
  closing: Closing,
): PutEvents | undefined {
  if (bus === undefined) return undefined;
  const open = openLazily(async () => {
    const { connectEventBus } = await import('../../lib/adapters/eventbridge/event-bus.ts');
    return connectEventBus({ bus, installation });
  }, closing);
  return async (announcements, signal) =>
    announcements.length === 0 ? [] : (await open()).put(announcements, signal);
}
