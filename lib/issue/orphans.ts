// Cleans up after orders of certificates that nobody asks for any more: removes their TXT values and ends
// their claims. The stored certificates stay.

import { mapConcurrently } from '../async/map-concurrently.ts';
import { mayBeAlive, type PendingOrder } from '../certificate/stored.ts';
import { readJournal } from '../policy/dns/txt-journal.ts';
import { describeError } from '../ports/errors.ts';
import { type CertificateStore, type StoreEntry, StoreError } from '../ports/store.ts';
import type { IssueInvocation, IssuePorts } from './invocation.ts';
import { giveBack } from './order/claim-end.ts';

/** Entries cleaned up at once. */
const concurrency = 8;

/** Those of the entries whose orders left a claim or TXT values.
 *  @param unasked Entries that the inventory file does not have, and that no source registered. */
export function findOrphans(unasked: readonly StoreEntry[]): readonly StoreEntry[] {
  return unasked.filter(({ pending, state }) => pending !== undefined || state.txt);
}

/** Takes over the claim of each entry whose run has ended, removes the TXT values and releases the claim.
 *  Never rejects: a failure is a warning in the log, and a later pass tries again. */
export async function sweepOrphans(
  orphans: readonly StoreEntry[],
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<void> {
  const { store, log, clock, openOrdering } = ports;
  await mapConcurrently(orphans, concurrency, async ({ name }) => {
    let claimed: Awaited<ReturnType<typeof takeOver>>;
    try {
      claimed = await takeOver(name, store, clock.now(), invocation);
      if (!claimed) return;
      const { entry, order, version } = claimed;
      const values = readJournal(entry.state.txt, [...order.domains, ...(order.formerDomains ?? [])]);
      if (values.length > 0) {
        const { records } = await openOrdering();
        const { failed } = await records.cleanUp(values, invocation.cleanUpSignal);
        for (const error of failed.values()) throw error;
      }
      await store.record(name, { order: null, orderFor: null, txt: null }, invocation.cleanUpSignal);
      await store.release(name, version, invocation.cleanUpSignal);
      log.info('orphan cleaned up', { certificate: name, names: order.domains });
    } catch (error) {
      log.warn('orphan not cleaned up', { certificate: name, problem: describeError(error) });
      if (claimed) await giveBack(name, { ...claimed, pending: claimed.order }, ports, invocation);
    }
  });
}

/** Claims the certificate as an ordering run would. `undefined` while the claiming run is alive, or if
 *  another run claimed it first. @throws StoreError `Failed` if the claim holds no order. */
async function takeOver(
  name: string,
  store: CertificateStore,
  now: Date,
  invocation: IssueInvocation,
): Promise<
  { readonly entry: StoreEntry; readonly order: PendingOrder; readonly version: string } | undefined
> {
  const pending = (await store.describe(name, invocation.signal))?.pending;
  if (pending === undefined) return undefined;
  const value = (await store.read(name, { version: pending }, invocation.signal))?.value;
  if (value?.kind !== 'pending') {
    throw new StoreError(
      'Failed',
      'AWSPENDING contains no order of Certrelay, so nobody knows which TXT values it left: remove that label from the AWS secret',
    );
  }
  if (mayBeAlive(value.order.deadline, now)) return undefined;
  const order = { ...value.order, run: invocation.id, deadline: invocation.deadline };
  const claim = await store.claim(name, order, pending, invocation.signal);
  const entry = claim === 'claimedByOther' ? undefined : await store.describe(name, invocation.signal);
  return claim === 'claimedByOther' || !entry ? undefined : { entry, order, version: claim.version };
}
