// Notes TXT values before they are written to DNS: a crash after that leaves none that nobody knows of.

import type { CertificateStore } from '../../ports/store.ts';
import { addToJournal, isInJournal } from '../../state/txt-journal.ts';
import type { OpenOrder } from './order.ts';

/** Adds an order's values to the journal that is on the tag, and gives the journal as it is then. @throws StoreError. */
export async function recordValues(
  name: string,
  { toPresent }: OpenOrder,
  journal: string | undefined,
  store: CertificateStore,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (isInJournal(journal, toPresent)) return journal;
  const txt = addToJournal(journal, toPresent);
  await store.record(name, { txt }, signal);
  return txt;
}
