// Ends a run's claim: released, or kept for the next run, which then need not wait for its deadline.

import type { PendingOrder } from '../../certificate/stored.ts';
import { describeError } from '../../ports/errors.ts';
import type { IssueInvocation, IssuePorts } from '../invocation.ts';

/** A claim that is to end: the version that has AWSPENDING, and its value. */
export interface EndedClaim {
  readonly version: string;
  readonly pending: PendingOrder;
}

/** Releases the claim, or gives back its time if it is to be kept.
 *  @throws StoreError if it cannot be released. */
export async function endClaim(
  name: string,
  { claim, keep }: { readonly claim: EndedClaim; readonly keep: boolean },
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<void> {
  if (keep) await giveBack(name, claim, ports, invocation);
  else await ports.store.release(name, claim.version, invocation.cleanUpSignal);
}

/** Claims the certificate once more, with a deadline that has passed: key and names stay for the next run,
 *  which takes the claim over at once. Never rejects: a claim whose deadline stays holds the next run back
 *  for minutes only. */
export async function giveBack(
  name: string,
  { version, pending }: EndedClaim,
  { store, clock, log }: IssuePorts,
  { cleanUpSignal }: IssueInvocation,
): Promise<void> {
  try {
    await store.claim(name, { ...pending, deadline: clock.now() }, version, cleanUpSignal);
  } catch (error) {
    log.warn('claim not given back', { certificate: name, problem: describeError(error) });
  }
}
