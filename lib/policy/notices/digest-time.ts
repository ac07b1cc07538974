// When a digest is due, by the clocks of a place.
import { channelName, type DigestTime, type NoticeChannel } from '../../certificate/notice-spec.ts';
import { weekdays } from '../../certificate/rollout-spec.ts';

/** Names of the channels whose digest fell due after `since`, up to `now`. One that fell due several times
 *  is there once. */
export function findDueDigests(
  channels: readonly NoticeChannel[],
  since: Date,
  now: Date,
): readonly string[] {
  return channels
    .filter(({ digest }) => digest !== undefined && lastTime(digest, now) > since)
    .map(channelName);
}

/** The last instant up to `now` at which the clocks of the zone showed this time. A time that clocks skip
 *  in spring counts an hour later; one that they show twice in autumn counts once. */
export function lastTime(time: DigestTime, now: Date): Date {
  const local = wallTime(now, time.zone);
  // Eight days back there is always such a day.
  for (let back = 0; back <= 8; back += 1) {
    const midnight = Date.UTC(local.year, local.month - 1, local.day - back);
    const wall = midnight + (time.hour * 60 + time.minute) * minuteMs;
    const isDay = time.day === 'daily' || weekdays[(new Date(wall).getUTCDay() + 6) % 7] === time.day;
    const instant = atWallTime(wall, time.zone);
    if (isDay && instant <= now) return instant;
  }
  throw new Error(`no ${time.day} in eight days`);
}

const minuteMs = 60_000;

/** The instant at which the zone's clocks show `wall`, which is written as if it were UTC. */
function atWallTime(wall: number, zone: string): Date {
  const before = wall - offsetMs(new Date(wall - dayMs), zone);
  const after = wall - offsetMs(new Date(wall + dayMs), zone);
  const fitting = [before, after].filter((ms) => ms + offsetMs(new Date(ms), zone) === wall);
  return new Date(Math.min(...fitting, ...(fitting.length === 0 ? [before] : [])));
}

const dayMs = 86_400_000;

function offsetMs(instant: Date, zone: string): number {
  const { year, month, day, hour, minute } = wallTime(instant, zone);
  const whole = Math.floor(instant.getTime() / minuteMs) * minuteMs;
  return Date.UTC(year, month - 1, day, hour, minute) - whole;
}

function wallTime(instant: Date, timeZone: string) {
  const options = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  } as const;
  const format = new Intl.DateTimeFormat('en-US', { ...options, hourCycle: 'h23', timeZone });
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const read = (part: keyof typeof options) => parts.get(part) ?? 0;
  return {
    year: read('year'),
    month: read('month'),
    day: read('day'),
    hour: read('hour'),
    minute: read('minute'),
  };
}
