// A pause of a certificate's orders, as its tags have it: since when, why, and until when.
import type { CertificateState } from '../../state/state.ts';

/** A pause: a person wants no order. */
export interface Pause {
  readonly since: Date;
  /** Why, in that person's words. */
  readonly reason?: string | undefined;
  /** When it ends by itself; absent: when a person resumes it. */
  readonly until?: Date | undefined;
}

/** How the reason of a pause begins that is the CA's and no person's. */
export const pausedByCa = 'the CA has paused it';

/** Code of the trouble that such a pause leaves until an order succeeds: a person may have resumed the
 *  certificate here alone. */
export const pausedByCaCode = 'PausedByCA';

/** The pause; `undefined` if there is none, or it has ended by itself. */
export function pauseOf(
  { pausedSince, pauseReason }: Pick<CertificateState, 'pausedSince' | 'pauseReason'>,
  now: Date,
): Pause | undefined {
  if (!pausedSince) return undefined;
  const [, end = '', words] = /^until (\S+Z)(?:: (.*))?$/s.exec(pauseReason ?? '') ?? [];
  const until = new Date(end);
  // Other words that begin so are a reason.
  if (Number.isNaN(until.getTime()) || until.toISOString() !== end)
    return { since: pausedSince, reason: pauseReason };
  return until > now ? { since: pausedSince, reason: words, until } : undefined;
}

/** The text of the tag. Its end is told in words, so that a version which does not know of ends still
 *  pauses, and shows it. `null`: neither a reason nor an end. */
export function writePauseReason({ reason, until }: Pick<Pause, 'reason' | 'until'>): string | null {
  if (!until) return reason ?? null;
  return `until ${until.toISOString()}${reason === undefined ? '' : `: ${reason}`}`;
}

/** Whether the pause is one of the CA. */
export function isPausedByCa(pause: Pause | undefined): boolean {
  return pause?.reason?.startsWith(pausedByCa) === true;
}

/** One line: since when, why, and until when. */
export function describePause({ since, reason, until }: Pause): string {
  const words = reason === undefined ? '' : ` ("${reason}")`;
  const end = until === undefined ? 'it is resumed' : `${until.toISOString()}, when it ends by itself`;
  return `paused since ${since.toISOString()}${words}, until ${end}`;
}
