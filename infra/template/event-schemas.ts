// Writes infra/events/*.schema.json, the JSON Schemas of the details of events:
// node infra/template/event-schemas.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type EventType, eventTypes } from '../../lib/policy/events/announcement.ts';
import { type EventDetail, eventWords } from '../../lib/policy/events/detail.ts';
import { subjectKinds } from '../../lib/policy/health/change.ts';
import { isMainScript } from '../node/main-script.ts';

const text = z.string();
const instant = z.iso.datetime();
const { health: healthWords, served: servedWords } = eventWords;
const health = z.enum(healthWords).nullable();

const common = z.strictObject({
  schema: z.literal(1).describe('Version of these schemas. Fields are only added to it.'),
  id: text.regex(/^[0-9a-f]{32}$/).describe('The same for an event that is put twice.'),
  installation: text.describe('The prefix of the installation.'),
  kind: z.enum(subjectKinds).describe('What it is about.'),
  name: text.describe('Its name.'),
  certificate: text.nullable().describe('The name, if it is about a certificate.'),
  domains: z.array(text).nullable().describe('DNS names of the certificate.'),
  health,
  previousHealth: health,
  reason: text.nullable().describe('One word; of a revocation the reason of RFC 5280.'),
  message: text.max(1_100).describe('One line that can be posted as it stands.'),
  since: instant.describe('When it happened, or began to be so.'),
  cause: text.nullable().describe('What causes it for many at once, such as cluster/prod.'),
  certificates: z
    .int()
    .min(0)
    .nullable()
    .describe('How many certificates are not Healthy because of the cluster, issuer, agent or function.'),
  version: text.nullable().describe('Version id of the AWS secret.'),
  notAfter: instant.nullable().describe('End of the certificate.'),
  expiresInDays: z.number().nullable().describe('Days until then; negative after it.'),
  targets: z.array(text).nullable().describe('Such as prod/shop/shop-tls.'),
  command: text.nullable().describe('The next command, as it can be pasted.'),
  omitted: z.int().min(0).describe('How many domains and targets are left out because there are too many.'),
}) satisfies z.ZodType<EventDetail>;

const aboutCertificate = common.extend({ kind: z.literal('certificate'), certificate: text });
const version = aboutCertificate.extend({ version: text, notAfter: instant, expiresInDays: z.number() });

/** The shape of each event's detail. */
export const eventSchemas = {
  'Certificate Registered': aboutCertificate.extend({ domains: z.array(text) }),
  'Certificate Issued': version.extend({ domains: z.array(text) }),
  'Certificate Delivered': version.extend({
    targets: z.array(text),
    fingerprint: text.regex(/^[0-9a-f]{64}$/).describe('SHA-256 of the leaf certificate.'),
    served: z
      .enum(servedWords)
      .optional()
      .describe(
        'What was seen right after the delivery; absent if nobody looked. The only field that may be.',
      ),
  }),
  'Certificate Revoked': version.extend({ reason: text }),
  'Certificate Retired': aboutCertificate,
  'Certificate Health Changed': aboutCertificate.extend({
    health: z.enum(healthWords),
    previousHealth: z.enum(healthWords),
    reason: text,
  }),
  'Health Changed': common.extend({
    kind: z.enum(subjectKinds).exclude(['certificate']),
    certificate: z.null(),
    health: z.enum(healthWords),
    previousHealth: z.enum(healthWords),
    reason: text,
  }),
} as const satisfies Readonly<Record<EventType, z.ZodType>>;

/** Name of the file with an event's schema: `certificate-issued.schema.json`. */
export function schemaFile(type: EventType): string {
  return `${type.toLowerCase().replaceAll(' ', '-')}.schema.json`;
}

/** The file's content. */
export function renderEventSchema(type: EventType): string {
  const title = `Detail of the event ${type}, source certrelay`;
  const schema = z.toJSONSchema(eventSchemas[type], {
    // Who reads events must take fields that are added.
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
    },
  });
  return `${JSON.stringify({ title, ...schema }, undefined, 2)}\n`;
}

if (isMainScript(import.meta)) {
  for (const type of eventTypes)
    writeFileSync(join(import.meta.dirname, '../events', schemaFile(type)), renderEventSchema(type));
}
