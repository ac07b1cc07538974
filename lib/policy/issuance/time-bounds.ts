// Bounds times that only tags know by what the rules can give, so that no tag can put a renewal off forever.
import type { ValidAuthorizations } from '../../state/orders.ts';
import type { CertificateState } from '../../state/state.ts';

const dayMs = 86_400_000;
/** The longest back-off of our own, in milliseconds. A CA's Retry-After may be longer (backoff.ts). */
export const longestBackoffMs = dayMs;
const longestRetryAfterMs = 7 * dayMs;
/** Codes of failures that may come with Retry-After: the CA's limits, an overload, a problem without a
 *  type, no answer. */
const withRetryAfter: ReadonlySet<string | undefined> = new Set([
  'rateLimited',
  'serverInternal',
  'about:blank',
  'Unreachable',
]);
/** The CA must be asked again within a day (RFC 9773 §4.3.2). */
const longestAskAfterMs = dayMs;
/** How long an authorization may serve, in milliseconds: 200 days (Baseline Requirements §4.2.1). */
export const longestAuthorizationMs = 200 * dayMs;
/** How far the clocks of two functions may be apart. */
const clockSkewMs = 5 * 60_000;

/** Whether a CA can have said so by now: it was asked before now, and named an end within 200 days. */
export function isPossibleValidity({ expires, readAt }: ValidAuthorizations, now: Date): boolean {
  const isFuture = readAt.getTime() - now.getTime() > clockSkewMs;
  return !isFuture && expires.getTime() - readAt.getTime() <= longestAuthorizationMs;
}

/** Whether the wait after a failure with this code may be as long as a CA's Retry-After. */
export function mayHaveRetryAfter(error: string | undefined): boolean {
  return withRetryAfter.has(error);
}

/** The state with possible times only, and the fields that were corrected. A `nextAttempt` too far away
 *  becomes the longest wait from now; an `askAfter` too far away is removed, so that the CA is asked
 *  again; authorizations that last too long are removed, so that DNS is checked again. */
export function boundTimes(
  state: CertificateState,
  now: Date,
): { readonly state: CertificateState; readonly corrected: readonly (keyof CertificateState)[] } {
  const { nextAttempt, askAfter, authorizations, error } = state;
  const inMs = (instant: Date | undefined) => (instant?.getTime() ?? 0) - now.getTime();
  const longestMs = mayHaveRetryAfter(error) ? longestRetryAfterMs : longestBackoffMs;
  const changed: { nextAttempt?: Date; askAfter?: undefined; authorizations?: undefined } = {};
  if (inMs(nextAttempt) > longestMs) changed.nextAttempt = new Date(now.getTime() + longestMs);
  if (inMs(askAfter) > longestAskAfterMs) changed.askAfter = undefined;
  if (authorizations && !isPossibleValidity(authorizations, now)) changed.authorizations = undefined;
  const corrected = fields.filter((field) => field in changed);
  return { state: corrected.length === 0 ? state : { ...state, ...changed }, corrected };
}

const fields = ['nextAttempt', 'askAfter', 'authorizations'] as const;
