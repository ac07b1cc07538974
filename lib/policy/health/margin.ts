// How much of the time to renew is left: the measure of what is too late, whatever the lifetime.
import { describeAge } from '../words.ts';

/** The validity of a certificate and when its renewal is due. */
export interface Life {
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly renewsAt: Date;
}

/** The time between the renewal and the end, in milliseconds. A third of the lifetime where the renewal is
 *  due only at the end. */
export function marginOf({ notBefore, notAfter, renewsAt }: Life): number {
  const margin = notAfter.getTime() - renewsAt.getTime();
  return margin > 0 ? margin : (notAfter.getTime() - notBefore.getTime()) / 3;
}

/** Whether less than half of the margin is left. Never before the renewal is due. */
export function isLate(life: Life, now: Date): boolean {
  return isShort(life.notAfter, life, now) && now >= life.renewsAt;
}

/** Whether less than half of the margin of `life` is left until `end`, of an earlier certificate that it is
 *  to replace. */
export function isShort(end: Date, life: Life, now: Date): boolean {
  return end.getTime() - now.getTime() < marginOf(life) / 2;
}

/** The latest end that the certificate before this one can have had if it was renewed in time; a target of
 *  which only that is known is judged by it. */
export function presumedEnd(life: Life): Date {
  return new Date(life.notBefore.getTime() + marginOf(life));
}

/** Days between two instants, with one decimal. */
export function daysUntil(end: Date, now: Date): number {
  return Math.floor((end.getTime() - now.getTime()) / 8_640_000) / 10;
}

/** Says when something ends, as it is read best from now: `valid for 3.2 more days, until …`, or
 *  `expired at …, 1.1 days ago`. */
export function describeEnd(end: Date, now: Date): string {
  if (end > now) return `valid for ${daysUntil(end, now)} more days, until ${end.toISOString()}`;
  return `expired at ${end.toISOString()}, ${describeAge(now.getTime() - end.getTime())}`;
}

/** What tags say of the window in which the CA wants the renewal. */
export interface WindowTags {
  readonly windowStart?: Date | undefined;
  readonly windowEnd?: Date | undefined;
}

/** When the renewal is to happen: from the time at which it is due until the end of the CA's window, or until
 *  half of the margin is left where the CA offers none. */
export function renewalWindow(
  { notAfter, renewsAt }: Pick<Life, 'notAfter' | 'renewsAt'>,
  { windowStart, windowEnd }: WindowTags,
): { readonly from: Date; readonly until: Date } {
  const isOffered = windowStart && windowEnd && windowStart <= renewsAt && renewsAt <= windowEnd;
  if (isOffered) return { from: windowStart, until: windowEnd };
  const half = new Date((renewsAt.getTime() + notAfter.getTime()) / 2);
  return { from: renewsAt, until: renewsAt < notAfter ? half : notAfter };
}
