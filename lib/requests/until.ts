// The schema of a field that says until when something holds.
import * as z from 'zod';
import { spanField } from './fields.ts';

const dateField = z
  .union(
    [z.iso.date(), z.iso.datetime()],
    'must be a time from now such as 7d, or a date such as 2026-12-24 or 2026-12-24T18:00:00Z',
  )
  .transform((text) => new Date(text));

/** An instant, or milliseconds from now. A date without a time is its first moment in UTC. */
export const untilField = z.string().transform((text, context): Date | number => {
  const isSpan = /^\d+[a-z]$/i.test(text);
  const parsed = isSpan ? spanField.safeParse(text) : dateField.safeParse(text);
  if (parsed.success) return parsed.data;
  for (const { message } of parsed.error.issues) context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** How far ahead an end may be, in milliseconds. */
const farthestMs = 366 * 86_400_000;

/** The instant that the field means; as text what is wrong with it. */
export function resolveUntil(until: Date | number, now: Date): Date | string {
  const at = typeof until === 'number' ? new Date(now.getTime() + until) : until;
  if (at <= now) return `${at.toISOString()} is not in the future; give a later time, such as 7d`;
  return at.getTime() - now.getTime() > farthestMs
    ? `${at.toISOString()} is more than a year ahead; give an earlier time, such as 90d`
    : at;
}
