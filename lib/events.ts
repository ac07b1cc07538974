// The events and messages that functions are called with, parsed: an unknown field is refused by name.
import * as z from 'zod';
import { ConfigError } from './config.ts';

const name = z.string().regex(/^[a-z0-9-]{1,63}$/, 'must be a certificate name ([a-z0-9-])');
const names = z.array(name).min(1).readonly();

const issueRequest = z
  .strictObject({
    certificates: names.optional(),
    force: z.boolean().optional(),
    dryRun: z.boolean().optional(),
  })
  .refine((request) => !request.force || request.certificates?.length === 1, {
    message: '"force" needs "certificates" with exactly one name: it overrides the backoff of that one',
  });

/** What `issue` is asked: all certificates, or the named ones. */
export type IssueRequest = z.infer<typeof issueRequest>;

const deployRequest = z.strictObject({
  certificates: names.optional(),
  targets: z
    .array(z.string().regex(/^[^/]+\/[^/]+\/[^/]+$/, 'must be cluster/namespace/secret'))
    .min(1)
    .readonly()
    .optional(),
  dryRun: z.boolean().optional(),
});

/** What `deploy` is asked: everything, or the named certificates or targets (`cluster/namespace/secret`). */
export type DeployRequest = z.infer<typeof deployRequest>;

/** Secrets Manager's `Secret Label Updated`, as EventBridge sends it. */
const labelUpdated = z.object({
  source: z.literal('aws.secretsmanager'),
  'detail-type': z.literal('Secret Label Updated'),
  detail: z.object({ name: z.string(), labelUpdated: z.string(), versionId: z.string().optional() }),
});

const sqsBatch = z.object({
  Records: z.array(z.object({ messageId: z.string(), body: z.string(), eventSource: z.literal('aws:sqs') })),
});

/** One message of an SQS batch: what it asks, or why it cannot be read. */
export type Message<R> =
  | { readonly id: string; readonly request: R }
  | { readonly id: string; readonly problem: string };

/** Either somebody's direct call, or a batch whose messages succeed and fail one by one. */
export type FunctionEvent<R> =
  | { readonly kind: 'request'; readonly request: R }
  | { readonly kind: 'batch'; readonly messages: readonly Message<R>[] };

/** @throws ConfigError `Event`, naming each field that is unknown or wrong. */
export function parseIssueEvent(event: unknown): FunctionEvent<IssueRequest> {
  return parseEvent(event, (body) => parse(issueRequest, body));
}

/** As `parseIssueEvent`; a message may also be a `Secret Label Updated` of a certificate below `prefix`.
 *  @throws ConfigError `Event`. */
export function parseDeployEvent(event: unknown, prefix: string): FunctionEvent<DeployRequest> {
  return parseEvent(event, (body) => {
    const label = labelUpdated.safeParse(body);
    if (!label.success) return parse(deployRequest, body);
    const folder = `${prefix}/certificates/`;
    const secret = label.data.detail.name;
    return parse(deployRequest, {
      certificates: [secret.startsWith(folder) ? secret.slice(folder.length) : secret],
    });
  });
}

function parseEvent<R>(event: unknown, parseBody: (body: unknown) => R): FunctionEvent<R> {
  const batch = sqsBatch.safeParse(event);
  // `serverless invoke local` without data calls with an empty string.
  const isEmpty = event === undefined || event === null || event === '';
  if (!batch.success) return { kind: 'request', request: parseBody(isEmpty ? {} : event) };
  const messages = batch.data.Records.map(({ messageId: id, body }): Message<R> => {
    try {
      return { id, request: parseBody(JSON.parse(body)) };
    } catch (error) {
      return { id, problem: error instanceof ConfigError ? error.message : 'the body is not JSON' };
    }
  });
  return { kind: 'batch', messages };
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown field ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`
      : `${issue.path.join('.') || 'event'}: ${issue.message}`,
  );
  throw new ConfigError('Event', `the event cannot be used: ${problems.join('; ')}`);
}
