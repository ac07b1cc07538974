// Times that only tags tell: what the rules that write them cannot give is not believed, so that no tag can put a renewal off
// for good.
import type { CertificateState } from '../../state/state.ts';

const dayMs = 86_400_000;
/** The longest back-off of our own; a CA's Retry-After may be longer (backoff.ts). */
export const longestBackoffMs = dayMs;
const longestRetryAfterMs = 7 * dayMs;
/** Failures with which CAs send Retry-After: the limits' own problem, an overload, an answer without a problem's type, none. */
const withRetryAfter: ReadonlySet<string | undefined> = new Set([
  'rateLimited',
  'serverInternal',
  'about:blank',
  'Unreachable',
]);
/** RFC 9773 §4.3.2: whoever asks is told within a day when to ask again. */
const longestAskAfterMs = dayMs;

/** Whether the wait after a failure with this code may be as long as a CA's Retry-After. */
export function mayHaveRetryAfter(error: string | undefined): boolean {
  return withRetryAfter.has(error);
}

/** The state with every such time inside what the rules can give, and the fields that were changed for it. `nextAttempt` is
 *  brought down to its longest wait from now; an `askAfter` too late is as if nobody had heard of one: the CA is asked again. */
export function boundTimes(
  state: CertificateState,
  now: Date,
): { readonly state: CertificateState; readonly corrected: readonly (keyof CertificateState)[] } {
  const { nextAttempt, askAfter, error } = state;
  const inMs = (instant: Date | undefined) => (instant?.getTime() ?? 0) - now.getTime();
  const longestMs = mayHaveRetryAfter(error) ? longestRetryAfterMs : longestBackoffMs;
  const changed: { nextAttempt?: Date; askAfter?: undefined } = {};
  if (inMs(nextAttempt) > longestMs) changed.nextAttempt = new Date(now.getTime() + longestMs);
  if (inMs(askAfter) > longestAskAfterMs) changed.askAfter = undefined;
  const corrected = fields.filter((field) => field in changed);
  return { state: corrected.length === 0 ? state : { ...state, ...changed }, corrected };
}

const fields = ['nextAttempt', 'askAfter'] as const;
