// Parses the events of notify: a test by hand, what a pass has to tell, and notices on their way to a
// channel.
import * as z from 'zod';
import { subjectKinds } from '../policy/health/change.ts';
import type { PassNews } from '../policy/notices/grouping.ts';
import type { QueuedDelivery } from '../ports/notices.ts';
import { healthWords } from '../state/health.ts';
import { orEmpty, parseFields } from './fields.ts';
import { type FunctionEvent, parseEvent } from './requests.ts';

const instant = z.iso.datetime().transform((text) => new Date(text));
const text = z.string().max(2_000);
const texts = z.array(text).readonly();
const count = z.int().min(0);
const days = z.number().nullable();
const subject = z.object({ kind: z.enum(subjectKinds), name: text });
const health = z.enum(healthWords);
const summary = z.record(health, count);

const change = z.object({
  subject,
  domains: texts.nullable(),
  health,
  previousHealth: health,
  reason: text,
  message: text,
  since: instant,
  cause: text.nullable(),
  certificates: count.nullable(),
  version: text.nullable(),
  notAfter: instant.nullable(),
  expiresInDays: days,
  targets: texts.nullable(),
  command: text.nullable(),
  turn: text.optional(),
});

const issued = z.object({
  certificate: text,
  domains: texts,
  version: text,
  notAfter: instant,
  issuer: text,
});

const row = z.object({
  subject,
  health,
  reason: text.nullable(),
  message: text.nullable(),
  notAfter: instant.nullable(),
  expiresInDays: days,
});

const news = z.object({
  schema: z.literal(1),
  installation: text,
  at: instant,
  changes: z.array(change),
  issued: z.array(issued),
  digest: z.object({ channels: texts, summary, rows: z.array(row) }).optional(),
  omitted: z.object({ changes: count, issued: count, rows: count }),
});

const head = { id: z.string().min(1).max(100), installation: text, at: instant, more: count };

const entry = z.object({
  subject,
  health,
  previousHealth: health,
  reason: text,
  message: text,
  names: texts,
  certificates: count.nullable(),
  since: instant,
  notAfter: instant.nullable(),
  expiresInDays: days,
  command: text.nullable(),
});

const notice = z.discriminatedUnion('event', [
  z.object({
    ...head,
    event: z.enum(['Degraded', 'Recovered']),
    entries: z.array(entry),
    others: z.array(subject),
  }),
  z.object({
    ...head,
    event: z.literal('Issued'),
    issued: z
      .array(z.object({ certificate: text, names: texts, issuer: text, version: text, notAfter: instant }))
      .min(1),
  }),
  z.object({ ...head, event: z.literal('Digest'), summary, rows: z.array(row) }),
]);

const delivery = z.object({
  schema: z.literal(1),
  delivery: z.object({
    channel: text,
    notice,
    tries: z.int().min(0).max(100),
    notBefore: instant.optional(),
  }),
});

const test = z.strictObject({ test: z.literal(true) });

/** What `notify` is asked for: to ring every channel, to hand on the news of a pass, or to try one notice at
 *  one channel. */
export type NotifyRequest =
  | { readonly kind: 'test' }
  | { readonly kind: 'news'; readonly news: PassNews }
  | { readonly kind: 'delivery'; readonly delivery: QueuedDelivery };

/** The parsed event of `notify`. A direct call is a test.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. Not for a message of a batch:
 *  that has a `problem`. */
export function parseNotifyEvent(event: unknown): FunctionEvent<NotifyRequest> {
  const isBatch = typeof event === 'object' && event !== null && 'Records' in event;
  return parseEvent<NotifyRequest>(event, (body) => {
    if (!isBatch) {
      parseFields(test, orEmpty(body));
      return { kind: 'test' };
    }
    const isDelivery = typeof body === 'object' && body !== null && 'delivery' in body;
    if (isDelivery) return { kind: 'delivery', delivery: parseFields(delivery, body).delivery };
    return { kind: 'news', news: parseFields(news, body) };
  });
}
