// The events and messages that functions are called with, parsed: an unknown field is refused by name.
import * as z from 'zod';
import { revocationReasons } from '../certificate/revocation.ts';
import { pemFormats } from '../certificate/spec.ts';
import { ConfigError } from '../ports/errors.ts';
import { nameField, orEmpty, parseFields } from './fields.ts';

const names = z.array(nameField).min(1).readonly();
const targetName = z.string().regex(/^[^/]+\/[^/]+\/[^/]+$/, 'must be cluster/namespace/secret');

const issueRequest = z
  .strictObject({
    certificates: names.optional(),
    force: z.boolean().optional(),
    dryRun: z.boolean().optional(),
    /** Set by the function itself in messages about what it left. */
    fruitless: z.int().min(0).max(100).optional(),
    /** Set by the function itself: values that a pass over all left unread are held against their tags. */
    compare: z.boolean().optional(),
  })
  .refine((request) => !request.force || request.certificates?.length === 1, {
    message: '"force" needs "certificates" with exactly one name: it overrides the backoff of that one',
  })
  .refine(({ compare, certificates }) => !compare || certificates, {
    message: '"compare" needs "certificates"',
  });

/** What `issue` is asked: all certificates, or the named ones. */
export type IssueRequest = z.infer<typeof issueRequest>;

const deployRequest = z
  .strictObject({
    certificates: names.optional(),
    targets: z.array(targetName).min(1).readonly().optional(),
    clusters: z.array(z.string().min(1)).min(1).readonly().optional(),
    dryRun: z.boolean().optional(),
    rollback: z.boolean().optional(),
    resume: z.boolean().optional(),
  })
  .refine(({ rollback, resume, certificates }) => !(rollback || resume) || certificates, {
    message: '"rollback" and "resume" need "certificates"',
  })
  .refine(({ rollback, resume, targets }) => !(rollback || resume) || !targets, {
    message: '"rollback" and "resume" are for all targets of a certificate: leave "targets" out',
  })
  .refine(({ rollback, resume }) => !(rollback && resume), {
    message: '"rollback" holds a version, and "resume" ends that: say one of them',
  });

/** What `deploy` is asked: everything, or the named certificates or targets (`cluster/namespace/secret`), or
 *  what is in the named clusters; to take the current
 *  version back (`rollback`), or to deliver a held one (`resume`). */
export type DeployRequest = z.infer<typeof deployRequest>;

const probeRequest = z.strictObject({ certificates: names.optional() });

/** What `probe` is asked: to look at what is served for all certificates, or for the named ones. */
export type ProbeRequest = z.infer<typeof probeRequest>;

const statusRequest = z.strictObject({ certificates: names.optional(), check: z.boolean().optional() });

/** What `status` is asked: how everything stands, or the named certificates; with `check` anything wrong is an error. */
export type StatusRequest = z.infer<typeof statusRequest>;

const discoverRequest = z.strictObject({ dryRun: z.boolean().optional() });

/** What `discover` is asked: to register what objects in clusters ask for, or to say what that would be. */
export type DiscoverRequest = z.infer<typeof discoverRequest>;

const exportRequest = z
  .strictObject({
    certificates: names,
    format: z.enum([...pemFormats, 'pem', 'manifest']).optional(),
    target: targetName.optional(),
    key: z.boolean().optional(),
  })
  .refine(({ format, target }) => target === undefined || format === 'manifest', {
    message: '"target" needs "format": "manifest"',
  })
  .refine(({ format, key }) => format !== 'manifest' || key === true, {
    message: 'a manifest holds the private key: say "key": true',
  });

/** What `export` is asked: certificates as files of a format, or as manifests for all targets or one of them. */
export type ExportRequest = z.infer<typeof exportRequest>;

const revokeRequest = z
  .strictObject({
    certificate: nameField,
    reason: z.enum(revocationReasons),
    version: z
      .string()
      .regex(/^(previous|[\w-]{32,64})$/, 'must be "previous" or a version id')
      .optional(),
    replace: z.boolean().optional(),
    drill: z.boolean().optional(),
    wait: z.enum(['served', 'delivered', 'none']).optional(),
  })
  .refine(({ version, replace, drill }) => version === undefined || !(replace || drill), {
    message: '"replace" and "drill" are for the certificate in use: leave "version" out',
  })
  .refine(({ wait, replace, drill }) => wait === undefined || replace || drill, {
    message: '"wait" is for "replace" and "drill": without them nothing takes its place',
  })
  // A drill is the whole exchange, with a certificate that nobody trusts.
  .transform(({ replace, ...asked }) => ({ ...asked, replace: replace || asked.drill }));

/** What `revoke` is asked: the version in use, once `replace` has put another in its place, or an earlier one. */
export type RevokeRequest = z.infer<typeof revokeRequest>;

const pauseRequest = z
  .strictObject({
    certificates: names,
    reason: z.string().min(1).max(200).optional(),
    resume: z.boolean().optional(),
  })
  .refine(({ reason, resume }) => reason === undefined || !resume, {
    message: '"reason" is for a pause, and "resume" ends one',
  });

/** What `pause` is asked: to pause certificates, with words for whoever reads the plan, or to resume them. */
export type PauseRequest = z.infer<typeof pauseRequest>;

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
export type RequestMessage<R> =
  | { readonly id: string; readonly request: R }
  | { readonly id: string; readonly problem: string };

/** Either somebody's direct call, or a batch whose messages succeed and fail one by one. */
export type FunctionEvent<R> =
  | { readonly kind: 'request'; readonly request: R }
  | { readonly kind: 'batch'; readonly messages: readonly RequestMessage<R>[] };

/** @throws ConfigError `Event`, naming each field that is unknown or wrong. */
export function parseIssueEvent(event: unknown): FunctionEvent<IssueRequest> {
  return parseEvent(event, (body) => parseFields(issueRequest, body));
}

/** As `parseIssueEvent`; a message may also be a `Secret Label Updated` of a certificate below `prefix`.
 *  @throws ConfigError `Event`. */
export function parseDeployEvent(event: unknown, prefix: string): FunctionEvent<DeployRequest> {
  return parseEvent(event, (body) => {
    const label = labelUpdated.safeParse(body);
    if (!label.success) return parseFields(deployRequest, body);
    const folder = `${prefix}/certificates/`;
    const secret = label.data.detail.name;
    return parseFields(deployRequest, {
      certificates: [secret.startsWith(folder) ? secret.slice(folder.length) : secret],
    });
  });
}

/** @throws ConfigError `Event`. */
export function parseProbeEvent(event: unknown): ProbeRequest {
  return parseFields(probeRequest, orEmpty(event));
}

/** @throws ConfigError `Event`. */
export function parseStatusEvent(event: unknown): StatusRequest {
  return parseFields(statusRequest, orEmpty(event));
}

/** @throws ConfigError `Event`. */
export function parseDiscoverEvent(event: unknown): DiscoverRequest {
  return parseFields(discoverRequest, orEmpty(event));
}

/** @throws ConfigError `Event`. */
export function parseExportEvent(event: unknown): ExportRequest {
  return parseFields(exportRequest, orEmpty(event));
}

/** @throws ConfigError `Event`. */
export function parseRevokeEvent(event: unknown): RevokeRequest {
  return parseFields(revokeRequest, orEmpty(event));
}

/** @throws ConfigError `Event`. */
export function parsePauseEvent(event: unknown): PauseRequest {
  return parseFields(pauseRequest, orEmpty(event));
}

function parseEvent<R>(event: unknown, parseBody: (body: unknown) => R): FunctionEvent<R> {
  const batch = sqsBatch.safeParse(event);
  if (!batch.success) return { kind: 'request', request: parseBody(orEmpty(event)) };
  const messages = batch.data.Records.map(({ messageId: id, body }): RequestMessage<R> => {
    try {
      return { id, request: parseBody(JSON.parse(body)) };
    } catch (error) {
      return { id, problem: error instanceof ConfigError ? error.message : 'the body is not JSON' };
    }
  });
  return { kind: 'batch', messages };
}
