// Decides whether a target's workloads may be restarted now, or for which maintenance window they wait.
import { type MaintenanceWindow, weekdays } from '../../certificate/spec.ts';

/** `urgent`: no window is open, and the certificate that is served must not wait for one. */
export type Timing =
  | { readonly kind: 'open' }
  | { readonly kind: 'urgent' }
  /** `until`: when the next window opens, in UTC; absent where none does within two weeks. */
  | { readonly kind: 'closed'; readonly until?: Date | undefined };

/** Without windows it is always time. Otherwise nothing waits any more once the certificate that is served is `isEnding`.
 *  @param servedUntil The end of the certificate that is served; where nobody knows it, windows are kept.
 *  @param begin `notBefore` of its successor. */
export function judgeTiming(
  windows: readonly MaintenanceWindow[],
  {
    servedUntil,
    begin,
    now,
  }: { readonly servedUntil?: Date | undefined; readonly begin: Date; readonly now: Date },
): Timing {
  if (windows.length === 0 || isAnyOpen(windows, now)) return { kind: 'open' };
  if (servedUntil && isEnding(servedUntil, begin, now)) return { kind: 'urgent' };
  return { kind: 'closed', until: findOpening(windows, now) };
}

/** Whether a certificate has less than a quarter left of the time that it had when its successor began: a renewal 30 days
 *  before the end has 22 days to wait for a window, or for a person.
 *  @param begin `notBefore` of the successor. */
export function isEnding(servedUntil: Date, begin: Date, now: Date): boolean {
  const end = servedUntil.getTime();
  return (end - now.getTime()) * 4 < end - begin.getTime();
}

const minuteMs = 60_000;
const dayMinutes = 24 * 60;
/** Clocks are put forward or back at a multiple of this in UTC, everywhere. */
const stepMinutes = 15;
/** A window in the hour that a clock skips opens a week later. */
const horizonMinutes = 15 * dayMinutes;

/** The first minute from `now` on in which a window is open. */
function findOpening(windows: readonly MaintenanceWindow[], now: Date): Date | undefined {
  const stepMs = stepMinutes * minuteMs;
  const start = Math.floor(now.getTime() / stepMs) * stepMs;
  for (let step = 0; step < horizonMinutes; step += stepMinutes) {
    const at = start + step * minuteMs;
    const openings = windows.flatMap((window) => {
      const { day, minute } = readLocalTime(new Date(at), window.timeZone);
      const offset = Array.from({ length: stepMinutes }, (_, index) => index).find(
        (index) => at + index * minuteMs >= now.getTime() && isIn(window, day, minute + index),
      );
      return offset === undefined ? [] : [at + offset * minuteMs];
    });
    if (openings.length > 0) return new Date(Math.min(...openings));
  }
  return undefined;
}

function isAnyOpen(windows: readonly MaintenanceWindow[], now: Date): boolean {
  return windows.some((window) => {
    const { day, minute } = readLocalTime(now, window.timeZone);
    return isIn(window, day, minute);
  });
}

/** A window that ends before it begins goes on into the next day. `minute` may be past the day's end, by a step at most. */
function isIn(window: MaintenanceWindow, day: number, minute: number): boolean {
  if (minute >= dayMinutes) return isIn(window, day + 1, minute - dayMinutes);
  const { days, fromMinute, toMinute } = window;
  const isOn = (one: number) => days.some((name) => name === weekdays[(one + 7) % 7]);
  if (fromMinute < toMinute) return isOn(day) && minute >= fromMinute && minute < toMinute;
  return (isOn(day) && minute >= fromMinute) || (isOn(day - 1) && minute < toMinute);
}

/** What the clocks of a time zone show: the day's place in `weekdays`, and the minute of the day. */
function readLocalTime(at: Date, timeZone: string): { readonly day: number; readonly minute: number } {
  const format = formats.get(timeZone) ?? makeFormat(timeZone);
  formats.set(timeZone, format);
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return {
    day: dayNames.indexOf(parts.get('weekday') ?? ''),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}

const dayNames: readonly string[] = weekdays;

// Making one costs much more than using it.
const formats = new Map<string, Intl.DateTimeFormat>();

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
}
