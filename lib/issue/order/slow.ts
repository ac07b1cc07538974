// Orders that a CA takes long for: how long that is no failure, and when a hiccup does not end them.
import { actualByTags } from '../../policy/issuance/actual.ts';
import { defaultAttempts } from '../../policy/issuance/issuer-choice.ts';
import { AcmeError } from '../../ports/acme.ts';
import type { StoreEntry } from '../../ports/store.ts';
import type { Claim } from './claim.ts';
import { valuesOfEarlierRuns } from './journal.ts';

/** How long a CA may work on an order before that counts as a failure, in milliseconds. */
const patienceMs = 24 * 3_600_000;

/** Whether an order that is unfinished since `since` is no failure yet: for a day, but no longer than half of
 *  the time that the certificate in use had left. */
export function isPatient(since: Date, entry: StoreEntry | undefined, now: Date): boolean {
  const inUse = entry && actualByTags(entry);
  const leftMs = inUse?.kind === 'certificate' ? inUse.notAfter.getTime() - since.getTime() : Infinity;
  return now.getTime() - since.getTime() < Math.min(patienceMs, leftMs / 2);
}

/** Whether the claim's order outlives an error that kept this run from reading it: the CA may be issuing for
 *  the claim's key. It ends with an order that is over. Unless the CA is known to work on it, it also ends
 *  where its TXT values tell that it may not be validated yet, and after so many failures that another issuer
 *  may be tried. */
export function keepsOrder(claim: Claim, error: Error, now: Date): boolean {
  const { inheritedKey, entry, pending } = claim;
  const order = entry?.state.order;
  if (!inheritedKey || order === undefined) return false;
  if (error instanceof AcmeError && error.code === 'Invalid') return false;
  const { unfinished } = pending;
  if (unfinished?.orderUrl === order && isPatient(unfinished.since, entry, now)) return true;
  return valuesOfEarlierRuns(claim).length === 0 && (entry?.state.failures ?? 0) < defaultAttempts;
}
