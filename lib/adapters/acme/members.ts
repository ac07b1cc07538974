// Schemas for the members of a CA's answers that Certrelay can do without.
import * as z from 'zod';

/** A member that may be absent. `null`, an empty text and a value that `schema` refuses count as absent: some
 *  CAs write every member that RFC 8555 knows, and no such member may cost the certificate. */
export function optional<T>(schema: z.ZodType<T>) {
  return z
    .unknown()
    .transform((value) => (value === null || value === '' ? undefined : schema.safeParse(value).data))
    .optional();
}

/** A list that may be absent, with at most `most` elements. Elements that `schema` refuses are left out. */
export function optionalList<T>(schema: z.ZodType<T>, most: number) {
  const elements = z.array(z.unknown()).max(most);
  return optional(
    elements.transform((values) =>
      values.flatMap((value) => {
        const { success, data } = schema.safeParse(value);
        return success ? [data] : [];
      }),
    ),
  );
}
