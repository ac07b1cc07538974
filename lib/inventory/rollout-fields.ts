// The schema of how a target's workloads are restarted: `targets[].rollout`.
import * as z from 'zod';
import {
  type MaintenanceWindow,
  type RolloutSpec,
  type Weekday,
  weekdays,
} from '../certificate/rollout-spec.ts';
import { mapping } from './fields.ts';
import { windowPattern } from './patterns.ts';
import { describeInput } from './problems.ts';
import { workload } from './restart-fields.ts';

const minuteMs = 60_000;

const deadline = z
  .string({ error: ({ input }) => `is ${describeInput(input)}; use a number and a unit, such as 10m or 1h` })
  .regex(/^[1-9][0-9]{0,2}[mh]$/, 'is not a duration; use a number and a unit, such as 10m or 1h')
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('h') ? 60 : 1) * minuteMs);

const window = z
  .string()
  .meta({ pattern: windowPattern(weekdays) })
  .transform((text, context) => {
    const parsed = parseWindow(text);
    if (typeof parsed !== 'string') return parsed;
    context.addIssue({ code: 'custom', message: `${describeInput(text)} ${parsed}` });
    return z.NEVER;
  });

const waves = 'is not a number of waves; write a whole number from 1 to 100';

/** `targets[].rollout`: restarts in waves, each of them watched, with automatic rollback. */
export const rollout = mapping({
  canary: workload.optional().describe('Workload to restart first, alone'),
  waves: z
    .int(waves)
    .min(1, waves)
    .max(100, waves)
    .default(1)
    .describe('Number of groups in which the other workloads restart, one group after the other'),
  deadline: deadline
    .prefault('10m')
    .describe('Time limit for the canary and for each wave, such as 10m or 1h. Default: 10m'),
  probe: z.boolean().default(false).describe('Probe what is served after each of them'),
  windows: z
    .array(window)
    .min(1, 'is empty; write windows, or leave them out')
    .optional()
    .describe(
      'Maintenance windows in which restarts may begin, such as "Sat 02:00-04:00 Europe/Berlin". Default: at any time',
    ),
})
  .transform(
    ({ deadline: deadlineMs, windows = [], ...rest }): RolloutSpec => ({
      ...rest,
      deadlineMs,
      windows,
    }),
  )
  .optional()
  .describe(
    'Restart in waves, and roll back to the previous certificate if one fails. Default: restart all at once, without rollback',
  );

/** The value for `rollout` that parses back to the same specification. */
export function serializeRollout({ canary, deadlineMs, windows, ...rest }: RolloutSpec): object {
  return {
    ...rest,
    ...(canary ? { canary: `${canary.kind}/${canary.name}` } : {}),
    deadline: `${deadlineMs / minuteMs}m`,
    ...(windows.length > 0 ? { windows: windows.map(formatWindow) } : {}),
  };
}

/** The window as a user writes it: `Sat 02:00-04:00 Europe/Berlin`. */
export function formatWindow({ days, fromMinute, toMinute, timeZone }: MaintenanceWindow): string {
  const names = days.length === weekdays.length ? '' : `${days.join(',')} `;
  return `${names}${formatTime(fromMinute)}-${formatTime(toMinute)} ${timeZone}`;
}

/** The window in a text; or what is wrong with it, as the rest of a sentence that begins with the text. */
function parseWindow(text: string): MaintenanceWindow | string {
  const example = 'use e.g. "Sat 02:00-04:00 Europe/Berlin" or "Mon-Fri 22:00-05:00 UTC"';
  const {
    days,
    from,
    to,
    zone = 'UTC',
  } = /^(?:(?<days>[A-Za-z,-]+) +)?(?<from>\d\d:\d\d) ?- ?(?<to>\d\d:\d\d)(?: +(?<zone>\S+))?$/.exec(text)
    ?.groups ?? {};
  const fromMinute = parseTime(from, 23);
  const toMinute = parseTime(to, 24);
  const on = days === undefined ? weekdays : parseDays(days);
  if (fromMinute === undefined || toMinute === undefined || on === undefined) {
    return `is not a maintenance window; ${example}`;
  }
  if (fromMinute === toMinute) return `is never open, because it begins when it ends; ${example}`;
  if (!isTimeZone(zone)) return 'has an unknown time zone; use e.g. Europe/Berlin or UTC';
  return { days: on, fromMinute, toMinute, timeZone: zone };
}

/** The days in `Sat`, `Sat,Sun` or `Mon-Fri`, in the order of the week. `undefined` if a day is unknown. */
function parseDays(text: string): readonly Weekday[] | undefined {
  const chosen = text.split(',').flatMap((part) => {
    const [first, last, ...more] = part.split('-').map(findDay);
    if (first === undefined || more.length > 0) return [undefined];
    if (!part.includes('-')) return [first];
    if (last === undefined) return [undefined];
    const count = ((last - first + 7) % 7) + 1;
    return Array.from({ length: count }, (_, index) => (first + index) % 7);
  });
  return chosen.includes(undefined) ? undefined : weekdays.filter((_, index) => chosen.includes(index));
}

function findDay(text: string): number | undefined {
  const index = weekdays.findIndex((day) => day.toLowerCase() === text.toLowerCase());
  return index < 0 ? undefined : index;
}

function parseTime(text: string | undefined, latestHour: number): number | undefined {
  const [hours = Number.NaN, minutes = Number.NaN] = (text ?? '').split(':').map(Number);
  const isTime = hours <= latestHour && minutes < 60 && (hours < 24 || minutes === 0);
  return isTime ? hours * 60 + minutes : undefined;
}

function formatTime(minute: number): string {
  const [hours, minutes] = [Math.floor(minute / 60), minute % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${hours}:${minutes}`;
}

/** Whether this is a time zone that the runtime knows, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
