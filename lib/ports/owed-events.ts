// Reads and changes which events the bus is owed of a certificate. Several functions do, each for its own.
import { mapConcurrently } from '../async/map-concurrently.ts';
import type { Announcement } from '../policy/events/announcement.ts';
import { type OwedEvent, withoutPut } from '../state/events.ts';
import { describeError } from './errors.ts';
import type { PutEvents } from './events.ts';
import type { Log } from './log.ts';
import type { CertificateStore } from './store.ts';

/** AWS secrets written at once. */
const concurrency = 16;

/** An event that the bus is owed, and of which certificate. */
export interface OwedOf {
  readonly name: string;
  readonly event: OwedEvent;
}

/** Puts what is owed, and returns what the bus has taken. What it has not is logged. Never rejects. */
export async function putOwed<Owed>(
  owed: readonly Owed[],
  announce: (one: Owed) => Announcement,
  { putEvents, log }: { readonly putEvents: PutEvents; readonly log: Log },
  signal: AbortSignal,
): Promise<readonly Owed[]> {
  if (owed.length === 0) return [];
  try {
    const results = await putEvents(owed.map(announce), signal);
    const refused = results.find((result) => result !== 'put');
    if (refused) log.warn('event not put', { event: 'owed', problem: describeError(refused) });
    return owed.filter((_, index) => results[index] === 'put');
  } catch (error) {
    log.warn('event not put', { event: 'owed', problem: describeError(error) });
    return [];
  }
}

/** Takes the marks of these events away, and leaves others. Never rejects. */
export async function clearOwed(
  over: readonly OwedOf[],
  ports: { readonly store: Pick<CertificateStore, 'describe' | 'record'>; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  const byName = [...Map.groupBy(over, ({ name }) => name)];
  await mapConcurrently(byName, concurrency, ([name, some]) => {
    const events = some.map(({ event }) => event);
    return changeOwed(name, (before) => withoutPut(before, events), ports, signal);
  });
}

/** What is owed of a certificate now. What was read a while ago is not: others owe, and put, meanwhile.
 *  @throws StoreError if the tags cannot be read. */
export async function readOwed(
  name: string,
  store: Pick<CertificateStore, 'describe'>,
  signal: AbortSignal,
): Promise<readonly OwedEvent[]> {
  return (await store.describe(name, signal))?.state.owedEvents ?? [];
}

/** Reads anew what is owed, and writes what it becomes, if that is something else. What cannot be read or
 *  written is logged. Never rejects. */
export async function changeOwed(
  name: string,
  become: (owed: readonly OwedEvent[]) => readonly OwedEvent[],
  { store, log }: { readonly store: Pick<CertificateStore, 'describe' | 'record'>; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  try {
    const before = await readOwed(name, store, signal);
    const after = become(before);
    if (after.length === before.length && after.every((event, index) => event === before[index])) return;
    await store.record(name, { owedEvents: after.length > 0 ? after : null }, signal);
  } catch (error) {
    log.warn('state not recorded', { certificate: name, problem: describeError(error) });
  }
}
