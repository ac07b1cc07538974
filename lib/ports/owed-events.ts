// Reads and changes which events the bus is owed of a certificate. Several functions do, each for its own.
import type { OwedEvent } from '../state/events.ts';
import { describeError } from './errors.ts';
import type { Log } from './log.ts';
import type { CertificateStore } from './store.ts';

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
