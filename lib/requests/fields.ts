// What all events have in common: the schema of a certificate's name, and how fields are parsed and refused.

import * as z from 'zod';
import { certificateNamePattern } from '../certificate/certificate-name.ts';
import { oneLine } from '../policy/bounds.ts';
import { findNearest } from '../policy/nearest.ts';
import { ConfigError } from '../ports/errors.ts';
import { endings } from './event.ts';

/** The schema of a certificate's name. */
export const nameField = z
  .string()
  .regex(certificateNamePattern, 'must be a certificate name (up to 63 of a-z, 0-9 and inner hyphens)');

/** The schema of names of certificates, at least one. */
export const namesField = z.array(nameField, 'must be a list of names, such as ["shop"]').min(1).readonly();

/** Why a request with `enqueue` has no `dryRun`. */
export const noDryRun =
  '"enqueue" answers before there is a report, and "dryRun" asks for one; set only one of them';

const unitsMs = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** The schema of a time such as `7d`, in milliseconds: hours, days or weeks.
 *  @param longest The longest, in days, and how a refusal says that.
 *  @param example What a refusal shows. */
export function spanUpTo(
  longest: { readonly days: number; readonly words: string },
  example: string,
): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,4}[hdw]$/, `must be a number with h, d or w, such as ${example}`)
    .transform((text) => {
      const unit = text.at(-1);
      return Number(text.slice(0, -1)) * unitsMs[unit === 'w' ? 'w' : unit === 'd' ? 'd' : 'h'];
    })
    .refine((ms) => ms <= longest.days * unitsMs.d, `must be ${longest.words} at most`);
}

/** The schema of how long a pause or an acknowledgement lasts, in milliseconds: 90 days at most. */
export const spanField = spanUpTo({ days: 90, words: '90 days' }, '7d');

/** The event, or `{}` if it is absent, null or empty text, as from `serverless invoke local` without data. */
export function orEmpty(event: unknown): unknown {
  return event === undefined || event === null || event === '' ? {} : event;
}

/** The value, parsed by the schema.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. */
export function parseFields<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown field ${issue.keys.map((key) => describeKey(key, schema)).join(', ')}`
      : [issue.path.join('.'), issue.message].filter((part) => part !== '').join(': '),
  );
  throw new ConfigError('Event', `invalid event: ${problems.join('; ')}`);
}

/** The field in quotes, with the one that was probably meant. */
function describeKey(key: string, schema: z.ZodType): string {
  const object = schema instanceof z.ZodPipe ? schema.in : schema;
  const known = object instanceof z.ZodObject ? Object.keys(object.shape) : [];
  const nearest = findNearest(key, [...known, ...endings]);
  const shown = JSON.stringify(oneLine(key, 100));
  return nearest === undefined ? shown : `${shown} (did you mean ${JSON.stringify(nearest)}?)`;
}
