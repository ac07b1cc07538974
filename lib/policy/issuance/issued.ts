// Judges a certificate that a CA has just issued: whether it lasts long enough, and whether it would be
// ordered again at once.
import type { PendingOrder } from '../../certificate/stored.ts';
import type { CertificateFacts } from '../../certificate/x509.ts';
import type { CertificateState } from '../../state/state.ts';
import { countOf } from '../words.ts';
import { type Actual, type ActualCertificate, actualByFacts, actualByTags } from './actual.ts';
import { judge } from './decision.ts';
import type { Desired } from './desired.ts';
import type { OrderReason } from './reasons.ts';
import { renewalTime } from './renewal-time.ts';

const hourMs = 3_600_000;

/** Why a certificate that ends at `validUntil` is too short to store, as one sentence; `undefined` if it is
 *  long enough. It must last an hour, and two intervals of the schedule, so that a pass can renew it before
 *  it ends.
 *  @param issueIntervalMs Milliseconds between two passes of the schedule. Absent: only the hour counts. */
export function findShortLife(validUntil: Date, now: Date, issueIntervalMs = 0): string | undefined {
  const leftMs = validUntil.getTime() - now.getTime();
  const [by, leastMs] =
    issueIntervalMs * 2 > hourMs
      ? ['two intervals of the schedule', issueIntervalMs * 2]
      : ['an hour', hourMs];
  // Certificates have whole seconds: the second that has begun counts.
  if (leftMs > leastMs - 1000) return undefined;
  return `it ends at ${validUntil.toISOString()}, ${describeSpan(leftMs)}, and it must last for ${by} at least (${countOf(leastMs / 60_000, 'minute')})`;
}

/** Such as `in 3 minutes`; `which is over` for the past. */
function describeSpan(leftMs: number): string {
  const minutes = Math.floor(leftMs / 60_000);
  if (leftMs <= 0) return 'which is over';
  return minutes === 0 ? 'in less than a minute' : `in ${countOf(minutes, 'minute')}`;
}

/** Why the certificate would be ordered again as soon as it is stored, and what to do about that;
 *  `undefined` if it would be kept. `domains`: the names that were ordered. */
export function findDueAgain(
  facts: CertificateFacts,
  {
    issuer,
    profile,
    window,
    domains,
  }: Pick<ActualCertificate, 'issuer' | 'profile' | 'window'> & Pick<PendingOrder, 'domains'>,
  desired: Desired,
  now: Date,
): string | undefined {
  const actual = actualByFacts(facts, { issuer, profile, window, requestedNames: domains });
  // Why the order went to another issuer does not matter for what came of it.
  const { fallbackReason: _, ...withoutReason } = desired;
  const decision = judge({ desired: withoutReason, actual }, now);
  if (decision.decision !== 'order') return undefined;
  return `it would be ordered again at once (${decision.message}): ${adviceFor(decision.reason)}`;
}

function adviceFor(reason: OrderReason): string {
  if (reason !== 'RenewalDue') return 'ask for what the CA issues, or name another issuer';
  return 'ask the CA why, ask for another profile, lower "renewBefore", or name another issuer';
}

/** Whether a certificate that ends at `notAfter` is better than the one in use, or than none.
 *  @param isGivenUp Whether the one in use was revoked, or is to be. */
export function isBetter(notAfter: Date, inUse: Actual, isGivenUp: boolean): boolean {
  return inUse.kind !== 'certificate' || isGivenUp || notAfter > inUse.notAfter;
}

/** The CA is asked six hours after a certificate was issued, and dates certificates back by an hour. */
const firstWindowMs = 8 * hourMs;

/** Whether the certificate in use was due again as soon as it was stored, or as soon as its CA was asked.
 *  That is: the CA's window had begun by then, in the first third of its life. */
export function wasDueAgain(
  entry: { readonly current?: string | undefined; readonly state: CertificateState },
  now: Date,
): boolean {
  if (entry.state.error === 'DueAgain') return true;
  const actual = actualByTags(entry);
  if (actual?.kind !== 'certificate' || actual.window === undefined) return false;
  const [begin, end] = [actual.notBefore.getTime(), actual.notAfter.getTime()];
  const earliest = begin + Math.min(firstWindowMs, (end - begin) / 3);
  return renewalTime(actual) <= now && actual.window.start.getTime() <= earliest;
}
