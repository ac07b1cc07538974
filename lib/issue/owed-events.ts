// Puts events of certificates that the bus did not take, or that a killed run did not put.
import { mapConcurrently } from '../async/map-concurrently.ts';
import {
  type Announcement,
  announceIssued,
  announceRegistered,
  announceRevoked,
} from '../policy/events/announcement.ts';
import { isUntouched } from '../policy/registration/untouched.ts';
import { describeError } from '../ports/errors.ts';
import type { StoreEntry } from '../ports/store.ts';
import type { OwedEvent } from '../state/events.ts';
import type { IssueInvocation, IssuePorts } from './invocation.ts';

/** AWS secrets written at once. */
const concurrency = 16;

/** Puts what is owed, with the ids of then, and clears the mark of what the bus has. A certificate that was
 *  registered, and that nobody has looked at since, is told of in a pass over everything: whoever stored it
 *  may have been killed just then. What cannot be put or cleared is left to the next pass. Never rejects. */
export async function putOwedEvents(
  entries: readonly StoreEntry[],
  pass: 'over all' | 'over some',
  { putEvents, store, clock, log }: IssuePorts,
  { signal, cleanUpSignal }: IssueInvocation,
): Promise<void> {
  if (!putEvents) return;
  const owed = entries.flatMap((entry) => {
    const { owedEvents = [] } = entry.state;
    if (owedEvents.length > 0) return owedEvents.map((event) => ({ entry, event }));
    const isUntold = pass === 'over all' && sourceOf(entry) !== undefined && isUntouched(entry.state);
    return isUntold
      ? [{ entry, event: { kind: 'registered', at: entry.createdAt ?? clock.now() } as const }]
      : [];
  });
  if (owed.length === 0) return;
  try {
    const results = await putEvents(
      owed.map(({ entry, event }) => announce(entry, event)),
      signal,
    );
    const refused = results.find((result) => result !== 'put');
    if (refused) log.warn('event not put', { event: 'owed', problem: describeError(refused) });
    const put = new Set(owed.flatMap(({ event }, index) => (results[index] === 'put' ? [event] : [])));
    const changed = entries.filter(({ state }) => state.owedEvents?.some((event) => put.has(event)));
    await mapConcurrently(changed, concurrency, async ({ name, state }) => {
      const left = state.owedEvents?.filter((event) => !put.has(event)) ?? [];
      await store.record(name, { owedEvents: left.length > 0 ? left : null }, cleanUpSignal);
    });
  } catch (error) {
    log.warn('event not put', { event: 'owed', problem: describeError(error) });
  }
}

function announce(entry: StoreEntry, event: OwedEvent): Announcement {
  const { name: certificate, arn, state } = entry;
  const news = { certificate, arn, domains: state.domains };
  switch (event.kind) {
    case 'registered':
      return announceRegistered({ ...news, at: event.at, by: sourceOf(entry) ?? 'registration' });
    case 'issued':
      return announceIssued({ ...news, ...event });
    case 'revoked':
      return announceRevoked({ ...news, ...event });
  }
}

function sourceOf({ state: { source } }: StoreEntry): 'registration' | 'discovery' | undefined {
  return source === 'registration' || source === 'discovery' ? source : undefined;
}
