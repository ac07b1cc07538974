// Times that only tags tell: what the rules that write them cannot give is not believed, so that no tag can put a renewal off
// for good.
import type { CertificateState } from './state.ts';

const dayMs = 86_400_000;
/** The longest back-off of our own; a CA's Retry-After may be longer (backoff.ts). */
const longestBackoffMs = dayMs;
const longestRetryAfterMs = 7 * dayMs;
/** Failures with which CAs send Retry-After: the limits' own problem, an overload, no answer but a 503. */
const withRetryAfter: ReadonlySet<string | undefined> = new Set([
  'rateLimited',
  'serverInternal',
  'Unreachable',
]);
/** RFC 9773 §4.3.2: whoever asks is told within a day when to ask again. */
const longestAskAfterMs = dayMs;

/** The state with every such time inside what the rules can give, and the fields that were changed for it. `nextAttempt` is
 *  brought down to its longest wait from now; an `askAfter` too late, and a window that reaches past the certificate's end,
 *  are as if nobody had heard of one: the CA is asked again. */
export function believe(
  state: CertificateState,
  now: Date,
): { readonly state: CertificateState; readonly unbelieved: readonly (keyof CertificateState)[] } {
  const { nextAttempt, askAfter, windowStart, windowEnd, notAfter, error } = state;
  const inMs = (instant: Date | undefined) => (instant?.getTime() ?? 0) - now.getTime();
  const longestMs = withRetryAfter.has(error) ? longestRetryAfterMs : longestBackoffMs;
  const isPastEnd = (instant: Date | undefined) =>
    instant !== undefined && notAfter !== undefined && instant > notAfter;
  const changed: { -readonly [K in keyof CertificateState]?: CertificateState[K] | undefined } = {};
  if (inMs(nextAttempt) > longestMs) changed.nextAttempt = new Date(now.getTime() + longestMs);
  if (inMs(askAfter) > longestAskAfterMs) changed.askAfter = undefined;
  if (isPastEnd(windowStart) || isPastEnd(windowEnd)) {
    changed.windowStart = undefined;
    changed.windowEnd = undefined;
    changed.askAfter = undefined;
  }
  const unbelieved = fields.filter((field) => field in changed);
  return { state: unbelieved.length === 0 ? state : { ...state, ...changed }, unbelieved };
}

const fields = ['nextAttempt', 'askAfter', 'windowStart', 'windowEnd'] as const;
