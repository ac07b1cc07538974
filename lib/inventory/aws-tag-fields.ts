// The schema of `tags`: tags of the operator's own for AWS secrets that are made from now on.
import * as z from 'zod';

/** Of the 50 tags of an AWS secret so many are the operator's (lib/state/budget.ts). */
const mostTags = 5;

const key = z
  .string()
  .regex(
    /^(?![aA][wW][sS]:)(?![cC][eE][rR][tT][rR][eE][lL][aA][yY]:)[A-Za-z0-9_.:/=+@-]([A-Za-z0-9 _.:/=+@-]{0,62}[A-Za-z0-9_.:/=+@-])?$/,
    'is not a key for a tag of yours; use up to 64 letters, digits and _ . : / = + - @, not beginning with aws: or certrelay:',
  );

const value = z
  .string()
  .regex(
    /^[A-Za-z0-9 _.:/=+@-]{0,256}$/,
    'is not the value of a tag; use up to 256 letters, digits, spaces and _ . : / = + - @',
  );

/** `tags`: each key with its value. */
export const awsTags = z
  .record(key, value)
  .meta({ maxProperties: mostTags })
  .refine((tags) => Object.keys(tags).length <= mostTags, `has too many tags; use at most ${mostTags}`);
