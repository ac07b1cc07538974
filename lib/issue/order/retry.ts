// When, and at which CA, a certificate is tried again after a failure.

import type { Inventory } from '../../certificate/spec.ts';
import type { PendingOrder } from '../../certificate/stored.ts';
import { nextAttempt } from '../../policy/issuance/backoff.ts';
import { chooseIssuer, issuersOf } from '../../policy/issuance/issuer-choice.ts';
import type { DueCertificate } from '../gather/gather.ts';
import type { Claim } from './claim.ts';

/** When and where the next attempt after a failure is. */
export interface OrderRetry {
  /** Failures since the last success, this one included. */
  readonly failures: number;
  /** No attempt before this instant. */
  readonly until: Date;
  /** The issuer of the next attempt. Absent if it is the same. */
  readonly nextIssuer?: string;
}

/** Counts one more failure, and backs off. Another issuer waits for nothing until it has failed, too.
 *  @param kept The order that the next attempt resumes. Absent: it makes a new one. */
export function planRetry(
  { spec, entry, situation: { desired } }: DueCertificate,
  claim: Claim,
  { issuers }: Pick<Inventory, 'issuers'>,
  {
    now,
    kept,
    retryAfterMs,
  }: { now: Date; kept?: PendingOrder | undefined; retryAfterMs?: number | undefined },
): OrderRetry {
  const failures = ((claim.entry ?? entry)?.state.failures ?? 0) + 1;
  const next = chooseIssuer(issuersOf(spec, issuers), failures, kept);
  if (next === undefined || next.name === desired.issuer) {
    return { failures, until: nextAttempt({ failures: next?.failures ?? failures, now, retryAfterMs }) };
  }
  const until = next.failures > 0 ? nextAttempt({ failures: next.failures, now }) : now;
  return { failures, until, nextIssuer: next.name };
}

/** The problem, and the issuer of the next attempt if that is another one. */
export function describeRetry(problem: string, { nextIssuer }: OrderRetry): string {
  return nextIssuer === undefined ? problem : `${problem}; the next attempt goes to issuer ${nextIssuer}`;
}
