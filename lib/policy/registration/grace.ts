// Time of grace: until when a certificate that today's inventory does not allow is still renewed and
// delivered, because
// it did not fit before this version first ran.
import { listSome } from '../bounds.ts';
import { describeMisfit, type Misfit } from './misfits.ts';

/** Time of grace, from the first full pass of `issue`. */
const graceMs = 90 * 86_400_000;
/** Longest life of a public CA's certificate from before March 2026 (CA/Browser Forum). */
const longestLifeMs = 398 * 86_400_000;

/** Code on the tag for the last error, if a certificate is no longer renewed and delivered. */
export const notAllowed = 'NotAllowed';

/** What the inventory does not allow of one certificate, and its time of grace. */
export interface Misfits {
  /** Empty if it did not fit when its value was last read, and tags do not show why. */
  readonly found: readonly Misfit[];
  /** Until when it is still renewed and delivered. `open`: the first full pass of `issue`, which decides
   *  that, has not run yet. Absent: no grace. */
  readonly grace?: Date | 'open' | undefined;
}

/** The validity of the version in use. */
interface Life {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** End of grace for a certificate that does not fit in the first full pass: in 90 days, or its `notAfter`
 *  if later. */
export function grantGrace(now: Date, life: Pick<Life, 'notAfter'> | undefined): Date {
  return new Date(Math.max(now.getTime() + graceMs, life?.notAfter.getTime() ?? 0));
}

/** Whether the first full pass of `issue` has not run yet, so times of grace are not recorded; true for
 *  `unknown`. */
export function isGraceOpen(installation: Installation): boolean {
  return installation === 'unknown' || installation === undefined || installation.lastPass === 'open';
}

/** The record of this installation. `unknown`: it cannot be read. `undefined`: there is none yet. */
export type Installation = { readonly firstRun: Date; readonly lastPass?: unknown } | 'unknown' | undefined;

/** The recorded end of grace, limited to what the first full pass can have recorded, so a later instant
 *  written by hand has no effect: 398 days after the first run, or `notAfter` of the certificate that was in
 *  use then, if later.
 *  `undefined` if nothing is recorded.
 *  @param until The instant on the tag.
 *  @param life Validity of the version in use. */
export function believeGrace(
  until: Date | undefined,
  life: Life | undefined,
  installation: Installation,
): Date | undefined {
  if (until === undefined || installation === 'unknown' || installation === undefined) return until;
  const { firstRun } = installation;
  // An unreadable first run must not end a time of grace.
  if (firstRun.getTime() === 0) return until;
  const wasInUse = life !== undefined && life.notBefore <= firstRun;
  const ends = [firstRun.getTime() + longestLifeMs, wasInUse ? life.notAfter.getTime() : 0];
  return new Date(Math.min(until.getTime(), Math.max(...ends)));
}

/** Whether the certificate is still renewed and delivered. */
export function isTolerated({ grace }: Pick<Misfits, 'grace'>, now: Date): boolean {
  return grace === 'open' || (grace !== undefined && now < grace);
}

/** How many misfits one report lists. */
const mostListed = 5;

/** One line for each of the first five misfits, and one that counts the others. */
export function describeMisfits({ found }: Pick<Misfits, 'found'>): readonly string[] {
  if (found.length === 0) {
    return [
      'something did not fit when its value was last read; to see what, run: npm run lint:inventory -- --against-store',
    ];
  }
  return listSome([...new Set(found.map(describeMisfit))], mostListed);
}

/** Fields of the report for a certificate in its time of grace. */
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

/** Message for a certificate that is no longer renewed and delivered. */
export function explainRefusal(misfits: Misfits): string {
  const { grace } = misfits;
  const ended = grace instanceof Date ? `, and its grace ended at ${grace.toISOString()}` : '';
  return `the inventory no longer allows it${ended}: ${describeMisfits(misfits).join('; ')}`;
}

/** Message for a certificate in its time of grace. */
export function explainGrace(misfits: Misfits): string {
  const { grace } = misfits;
  const end = grace instanceof Date ? grace.toISOString() : '90 days after the first full pass of issue';
  return `the inventory no longer allows it; it is renewed and delivered until ${end}: ${describeMisfits(misfits).join('; ')}`;
}
