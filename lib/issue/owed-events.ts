// Puts events of certificates that the bus did not take, or that a killed run did not put.
import {
  type Announcement,
  announceIssued,
  announceRegistered,
  announceRevoked,
} from '../policy/events/announcement.ts';
import { isUntouched } from '../policy/registration/untouched.ts';
import { clearOwed, putOwed } from '../ports/owed-events.ts';
import type { StoreEntry } from '../ports/store.ts';
import type { OwedDelivery, OwedEvent } from '../state/events.ts';
import type { IssueInvocation, IssuePorts } from './invocation.ts';
import type { IssuePlan } from './plan.ts';

/** Puts what is owed, with the ids of then, and clears the mark of what the bus has. A certificate that was
 *  registered, and that nobody has looked at since, is told of in a pass over everything: whoever stored it
 *  may have been killed just then. What cannot be put or cleared is left to the next pass. Never rejects. */
export async function putOwedEvents(
  plan: Pick<IssuePlan, 'certificates' | 'unreadable' | 'retiring'>,
  pass: 'over all' | 'over some',
  ports: IssuePorts,
  { signal, cleanUpSignal }: IssueInvocation,
): Promise<void> {
  const { putEvents, clock, log } = ports;
  if (!putEvents) return;
  const { certificates, unreadable, retiring } = plan;
  const entriesOf = (some: readonly { readonly entry?: StoreEntry | undefined }[]) =>
    some.flatMap(({ entry }) => entry ?? []);
  const unjudged = entriesOf([...unreadable, ...retiring]).flatMap(findOwed);
  const judged = entriesOf(certificates).flatMap((entry): readonly Owed[] => {
    const marked = findOwed(entry);
    if (marked.length > 0) return marked;
    const isUntold =
      pass === 'over all' &&
      sourceOf(entry) !== undefined &&
      // A paused one stays untouched: it would be told of in each pass.
      entry.state.pausedSince === undefined &&
      isUntouched(entry.state);
    return isUntold
      ? [{ entry, event: { kind: 'registered', at: entry.createdAt ?? clock.now() } as const }]
      : [];
  });
  const owed = [...judged, ...unjudged];
  const put = await putOwed(owed, ({ entry, event }) => announce(entry, event), { putEvents, log }, signal);
  const marked = put.filter(({ entry }) => (entry.state.owedEvents ?? []).length > 0);
  const over = marked.map(({ entry: { name }, event }) => ({ name, event }));
  await clearOwed(over, ports, cleanUpSignal);
}

/** `deploy` puts deliveries. */
type OwnEvent = Exclude<OwedEvent, OwedDelivery>;

interface Owed {
  readonly entry: StoreEntry;
  readonly event: OwnEvent;
}

function findOwed(entry: StoreEntry): readonly Owed[] {
  return (entry.state.owedEvents ?? []).flatMap((event) =>
    event.kind === 'delivered' ? [] : [{ entry, event }],
  );
}

function announce(entry: StoreEntry, event: OwnEvent): Announcement {
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
