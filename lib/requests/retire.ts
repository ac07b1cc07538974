// Parses the event of the retire function: what to let go, what to restore, or neither.
import * as z from 'zod';
import { nameField, orEmpty, parseFields } from './fields.ts';

/** The parsed event of `retire`.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. */
export function parseRetireEvent(event: unknown): RetireRequest {
  return parseFields(retireRequest, orEmpty(event));
}

const names = z.array(nameField).min(1).max(100).readonly();

const retireRequest = z
  .strictObject({
    certificates: names.optional(),
    restore: names.optional(),
    revoke: z.boolean().optional(),
    dryRun: z.boolean().optional(),
  })
  .refine(({ certificates, restore }) => !(certificates && restore), {
    message: '"certificates" lets certificates go, and "restore" brings some back; set only one of them',
  })
  .refine(({ certificates, revoke }) => revoke === undefined || certificates, {
    message: '"revoke" needs "certificates"',
  });

/** A request to `retire`: lets certificates go, or restores some. Without either it only reports what is on
 *  its way out, and what is in its recovery window. `revoke`: their versions are revoked too; `false` takes
 *  back that they are. */
export type RetireRequest = z.infer<typeof retireRequest>;
