// Parses the event of the status function.
import * as z from 'zod';
import { oneLine } from '../policy/bounds.ts';
import { subjectKinds } from '../policy/health/change.ts';
import { nameField, orEmpty, parseFields, spanField } from './fields.ts';
import { widgetContext } from './widget.ts';

const kinds = subjectKinds.filter((kind) => kind !== 'certificate');

const subject = z
  .string()
  .max(220)
  .refine(
    (text) => {
      const [kind, name] = text.split('/', 2);
      const isOther = name !== undefined && name !== '' && kinds.some((other) => other === kind);
      return isOther || nameField.safeParse(text).success;
    },
    `must be the name of a certificate, or ${kinds.join(', ')} with a slash and its name, such as cluster/prod`,
  );

const statusRequest = z
  .strictObject({
    certificates: z.array(nameField).min(1).readonly().optional(),
    check: z.boolean().optional(),
    acknowledge: z.array(subject).min(1).readonly().optional(),
    for: spanField.optional(),
    reason: z
      .string()
      .min(1)
      .max(200)
      .transform((text) => oneLine(text, 200))
      .optional(),
    widgetContext,
  })
  .refine(({ acknowledge, for: length }) => (acknowledge === undefined) === (length === undefined), {
    message: '"acknowledge" and "for" belong together: {"acknowledge": ["shop"], "for": "7d", "reason": "…"}',
  })
  .refine(({ acknowledge, reason, for: ms }) => !acknowledge || ms === 0 || reason !== undefined, {
    message: '"acknowledge" needs a "reason" for those who read it later',
  })
  .refine(({ acknowledge, certificates, check }) => !acknowledge || !(certificates || check), {
    message: '"acknowledge" names what it is about; leave out "certificates" and "check"',
  })
  .transform(({ acknowledge, for: forMs = 0, reason = '', widgetContext: context, ...request }) => ({
    ...request,
    ...(context && { isFromWidget: true as const }),
    ...(acknowledge && { acknowledge: { subjects: acknowledge, forMs, words: reason } }),
  }));

/** A request to `status`: everything, or the named certificates. `check`: fail if anything is `Degraded`.
 *  `acknowledge`: a person knows of troubles. `isFromWidget`: a button of a dashboard was pressed. */
export type StatusRequest = z.infer<typeof statusRequest>;

/** What a person knows of: subjects, for how long in milliseconds, and that person's words. Zero ends it. */
export type AcknowledgeRequest = NonNullable<StatusRequest['acknowledge']>;

/** The parsed event of `status`.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. */
export function parseStatusEvent(event: unknown): StatusRequest {
  return parseFields(statusRequest, orEmpty(event));
}
