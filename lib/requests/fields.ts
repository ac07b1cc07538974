// What all events have in common: certificates' names, and how fields are read and refused.

import * as z from 'zod';
import { certificateNamePattern } from '../certificate/certificate-name.ts';
import { ConfigError } from '../ports/errors.ts';

/** The name of a certificate. */
export const nameField = z
  .string()
  .regex(certificateNamePattern, 'must be a certificate name (up to 63 of a-z, 0-9 and inner hyphens)');

/** `serverless invoke local` without data calls with an empty string. */
export function orEmpty(event: unknown): unknown {
  return event === undefined || event === null || event === '' ? {} : event;
}

/** @throws ConfigError `Event`, naming each field that is unknown or wrong. */
export function parseFields<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown field ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`
      : `${issue.path.join('.') || 'event'}: ${issue.message}`,
  );
  throw new ConfigError('Event', `the event cannot be used: ${problems.join('; ')}`);
}
