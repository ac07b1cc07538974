// Records TXT values on the tags before they are written to DNS, so that a crash leaves none unknown.

import { addToJournal, isInJournal, readJournal } from '../../policy/dns/txt-journal.ts';
import type { TxtValue } from '../../ports/dns.ts';
import type { CertificateStore } from '../../ports/store.ts';
import type { TxtJournal } from '../../state/orders.ts';
import type { Claim } from './claim.ts';
import type { OpenOrder } from './order.ts';

/** Adds an order's TXT values to the certificate's journal and returns that. `journal`: as it is on the
 *  tag; absent: none. @throws StoreError. */
export async function recordValues(
  {
    name,
    open: { toPresent },
    journal,
  }: { readonly name: string; readonly open: OpenOrder; readonly journal?: TxtJournal | undefined },
  store: CertificateStore,
  signal: AbortSignal,
): Promise<TxtJournal | undefined> {
  if (isInJournal(journal, toPresent)) return journal;
  const txt = addToJournal(journal, toPresent);
  await store.record(name, { txt }, signal);
  return txt;
}

/** TXT values that earlier runs may have left in DNS. */
export function valuesOfEarlierRuns({ entry, pending }: Claim): readonly TxtValue[] {
  return readJournal(entry?.state.txt, [...pending.domains, ...(pending.formerDomains ?? [])]);
}
