// What today's inventory no longer allows, and until when that is kept all the same: what did not fit already when this version
// first ran has its time of grace.
import { describeMisfit, type Misfit } from './misfits.ts';

/** From the first full pass on. */
const graceMs = 90 * 86_400_000;
/** No certificate that a public CA had issued by then lasts longer (CA/Browser Forum, before March 2026). */
const longestLifeMs = 398 * 86_400_000;

/** Stands as the last error on the tags of what is neither renewed nor delivered any more. */
export const notAllowed = 'NotAllowed';

/** What does not fit of one certificate. */
export interface Misfits {
  /** Empty: it did not fit when its value was last read, and the tags do not tell why. */
  readonly found: readonly Misfit[];
  /** Until when it is renewed and delivered all the same; `open`: the first full pass, which notes that, is still to come; absent:
   *  it is not. */
  readonly grace?: Date | 'open' | undefined;
}

/** The validity of the version in use. */
interface Life {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What the first full pass notes of a certificate that does not fit: 90 days on, or its end where that is later. */
export function grantGrace(now: Date, life: Pick<Life, 'notAfter'> | undefined): Date {
  return new Date(Math.max(now.getTime() + graceMs, life?.notAfter.getTime() ?? 0));
}

/** Whether the first full pass is still to come: then nobody has noted yet what does not fit.
 *  @param installation `unknown`: nobody may look. */
export function isGraceOpen(installation: Installation): boolean {
  return installation === 'unknown' || installation === undefined || installation.lastPass === 'open';
}

/** The record of the installation; `undefined`: there is none yet. */
export type Installation = { readonly firstRun: Date; readonly lastPass?: unknown } | 'unknown' | undefined;

/** The instant on the tag, as far as that can be: whoever writes a later one by hand gains nothing beyond what was in use when
 *  this version first ran. `undefined` where there is none. */
export function believeGrace(
  until: Date | undefined,
  life: Life | undefined,
  installation: Installation,
): Date | undefined {
  if (until === undefined || installation === 'unknown' || installation === undefined) return until;
  const { firstRun } = installation;
  // A tag that somebody emptied ends nobody's time of grace.
  if (firstRun.getTime() === 0) return until;
  const wasInUse = life !== undefined && life.notBefore <= firstRun;
  const ends = [firstRun.getTime() + longestLifeMs, wasInUse ? life.notAfter.getTime() : 0];
  return new Date(Math.min(until.getTime(), Math.max(...ends)));
}

/** Whether it is renewed and delivered. */
export function isTolerated({ grace }: Pick<Misfits, 'grace'>, now: Date): boolean {
  return grace === 'open' || (grace !== undefined && now < grace);
}

/** Misfits that one report tells of. */
const mostTold = 5;

/** What does not fit, a line for each of the first. */
export function describeMisfits({ found }: Pick<Misfits, 'found'>): readonly string[] {
  if (found.length === 0) {
    return [
      'something of it, as its value was last read: npm run lint:inventory -- --against-store says what',
    ];
  }
  const told = [...new Set(found.map(describeMisfit))];
  const rest = told.length > mostTold ? [`and ${told.length - mostTold} more`] : [];
  return [...told.slice(0, mostTold), ...rest];
}

/** What a report says beside of one that is kept for a while. */
export function describeKept(misfits: Misfits): {
  readonly misfits: readonly string[];
  readonly graceUntil?: Date;
} {
  const { grace } = misfits;
  return {
    misfits: describeMisfits(misfits),
    ...(grace instanceof Date ? { graceUntil: grace } : {}),
  };
}

/** What is said of one that is not kept any more. */
export function explainRefusal(misfits: Misfits): string {
  const { grace } = misfits;
  const ended = grace instanceof Date ? `, and its grace ended at ${grace.toISOString()}` : '';
  return `the inventory does not allow it any more${ended}: ${describeMisfits(misfits).join('; ')}`;
}

/** What is said of one that is kept for a while. */
export function explainGrace(misfits: Misfits): string {
  const { grace } = misfits;
  const end = grace instanceof Date ? grace.toISOString() : '90 days after the first full pass of issue';
  return `the inventory does not allow it any more; it is kept until ${end}: ${describeMisfits(misfits).join('; ')}`;
}
