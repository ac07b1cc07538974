// Port to the event bus that tells others what happened. Each comment is part of the contract.
import type { Announcement } from '../policy/events/announcement.ts';
import { CertrelayError, describeError, toError } from './errors.ts';
import type { Log } from './log.ts';

/** `EventFailed`: EventBridge did not take the event. */
export type EventErrorCode = 'EventFailed';

/** An event that is not on the bus. */
export class EventError extends CertrelayError<EventErrorCode> {}

/** `put`: the bus has the event. Otherwise why not; a call whose answer was lost counts as failed, although
 *  the bus may have its events. */
export type PutResult = 'put' | EventError;

/** Puts events on the bus, ten in a call. Returns one result for each, in order: one that the bus refuses
 *  keeps no other from it. Putting an announcement again puts a second event with the same id. Takes a few
 *  seconds at most, then the rest fails; after a call without an answer the rest fails at once.
 *  @throws the signal's reason once the signal is aborted. */
export type PutEvents = (
  announcements: readonly Announcement[],
  signal: AbortSignal,
) => Promise<readonly PutResult[]>;

/** What telling needs. `putEvents` is absent where no bus is set. */
export interface TellingPorts {
  readonly putEvents?: PutEvents | undefined;
  readonly log: Log;
}

/** Puts one event, and logs `event not put` if the bus does not take it: what happened has happened, so it is
 *  no failure. `undefined`: no bus is set. Never rejects. */
export async function tell(
  announcement: Announcement,
  { putEvents, log }: TellingPorts,
  signal: AbortSignal,
): Promise<'put' | 'lost' | undefined> {
  if (!putEvents) return undefined;
  const { type, subject, facts } = announcement;
  try {
    const [result] = await putEvents([announcement], signal);
    if (result === 'put') return 'put';
    throw result ?? new EventError('EventFailed', 'the event was not put on the bus');
  } catch (error) {
    const about = { [subject.kind]: subject.name, version: facts.version ?? undefined, event: type };
    log.warn('event not put', { ...about, problem: describeError(toError(error)) });
    return 'lost';
  }
}
