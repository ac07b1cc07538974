// Decides whether a target's workloads may restart now or must wait for a maintenance window.
import { type MaintenanceWindow, weekdays } from '../../certificate/rollout-spec.ts';

/** Whether workloads may restart now. */
export type Timing =
  /** There are no windows, or one is open. */
  | { readonly kind: 'open' }
  /** No window is open, but the served certificate is near its expiry and must not wait for one. */
  | { readonly kind: 'urgent' }
  /** Workloads wait. `until`: when the next window opens; absent if none opens within 15 days. */
  | { readonly kind: 'closed'; readonly until?: Date | undefined };

/** Decides for one target. Windows no longer count once the served certificate is near its expiry
 *  (`isNearExpiry`).
 *  @param servedUntil `notAfter` of the served certificate; if absent, windows always count.
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
  if (servedUntil && isNearExpiry(servedUntil, begin, now)) return { kind: 'urgent' };
  return { kind: 'closed', until: findOpening(windows, now) };
}

/** True once `servedUntil − now < ¼ · (servedUntil − begin)`. Example: the successor begins 30 days
 *  before expiry, so this is true from 7.5 days before expiry.
 *  @param servedUntil `notAfter` of the served certificate.
 *  @param begin `notBefore` of its successor. */
export function isNearExpiry(servedUntil: Date, begin: Date, now: Date): boolean {
  const end = servedUntil.getTime();
  return (end - now.getTime()) * 4 < end - begin.getTime();
}

const minuteMs = 60_000;
const dayMinutes = 24 * 60;
/** Every time zone changes its offset only at a multiple of this in UTC, so one look-up per step is
 *  enough. */
const stepMinutes = 15;
/** How far to search. Two weeks and a day: a weekly window is skipped once if the clock jumps over it. */
const horizonMinutes = 15 * dayMinutes;

/** The first minute from `now` on in which any window is open; `undefined` if none within the horizon. */
function findOpening(windows: readonly MaintenanceWindow[], now: Date): Date | undefined {
  const stepMs = stepMinutes * minuteMs;
  const start = Math.floor(now.getTime() / stepMs) * stepMs;
  for (let step = 0; step < horizonMinutes; step += stepMinutes) {
    const at = start + step * minuteMs;
    const openingTimes = windows.flatMap((window) => {
      const { day, minute } = readLocalTime(new Date(at), window.timeZone);
      const offset = Array.from({ length: stepMinutes }, (_, index) => index).find(
        (index) => at + index * minuteMs >= now.getTime() && isIn(window, day, minute + index),
      );
      return offset === undefined ? [] : [at + offset * minuteMs];
    });
    if (openingTimes.length > 0) return new Date(Math.min(...openingTimes));
  }
  return undefined;
}

function isAnyOpen(windows: readonly MaintenanceWindow[], now: Date): boolean {
  return windows.some((window) => {
    const { day, minute } = readLocalTime(now, window.timeZone);
    return isIn(window, day, minute);
  });
}

/** Whether the window is open at this minute. A window that ends before it begins continues into the next
 *  day.
 *  `minute` may be up to one step past the end of the day. */
function isIn(window: MaintenanceWindow, day: number, minute: number): boolean {
  if (minute >= dayMinutes) return isIn(window, day + 1, minute - dayMinutes);
  const { days, fromMinute, toMinute } = window;
  const isListed = (index: number) => days.some((name) => name === weekdays[(index + 7) % 7]);
  if (fromMinute < toMinute) return isListed(day) && minute >= fromMinute && minute < toMinute;
  return (isListed(day) && minute >= fromMinute) || (isListed(day - 1) && minute < toMinute);
}

interface LocalTime {
  /** Index in `weekdays`. */
  readonly day: number;
  /** Of the day; up to one step past its end. */
  readonly minute: number;
}

/** Local time in the zone. Only the beginnings of steps are looked up, and the last ones kept: many targets
 *  ask for the same ones. */
function readLocalTime(at: Date, timeZone: string): LocalTime {
  const ms = at.getTime();
  const start = ms - (ms % (stepMinutes * minuteMs));
  const { day, minute } = findLocalTime(start, timeZone);
  return { day, minute: minute + Math.floor((ms - start) / minuteMs) };
}

const localTimes = new Map<string, Map<number, LocalTime>>();
let keptTimes = 0;
/** Some 20 MB. */
const mostKeptTimes = 200_000;

function findLocalTime(start: number, timeZone: string): LocalTime {
  const known = localTimes.get(timeZone)?.get(start);
  if (known) return known;
  if (keptTimes >= mostKeptTimes) {
    localTimes.clear();
    keptTimes = 0;
  }
  const ofZone = localTimes.get(timeZone) ?? new Map<number, LocalTime>();
  const found = formatLocalTime(new Date(start), timeZone);
  localTimes.set(timeZone, ofZone.set(start, found));
  keptTimes += 1;
  return found;
}

function formatLocalTime(at: Date, timeZone: string): LocalTime {
  const format = formats.get(timeZone) ?? makeFormat(timeZone);
  formats.set(timeZone, format);
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return {
    day: dayNames.indexOf(parts.get('weekday') ?? ''),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}

const dayNames: readonly string[] = weekdays;

// Formatters are kept, because making one costs much more than using it.
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
