// Parses the events and queue messages of the functions. An unknown field is refused by name.
import * as z from 'zod';
import { revocationReasons } from '../certificate/revocation.ts';
import { exportFormats } from '../certificate/spec.ts';
import { ConfigError } from '../ports/errors.ts';
import { nameField, namesField as names, noDryRun, orEmpty, parseFields } from './fields.ts';
import { type IssueRequest, issueRequest, refuseQueued } from './issue-request.ts';
import { untilField } from './until.ts';
import { widgetContext } from './widget.ts';

const targetName = z.string().regex(/^[^/]+\/[^/]+\/[^/]+$/, 'must be cluster/namespace/secret');

const deployRequest = z
  .strictObject({
    certificates: names.optional(),
    targets: z.array(targetName).min(1).readonly().optional(),
    clusters: z.array(z.string().min(1)).min(1).readonly().optional(),
    dryRun: z.boolean().optional(),
    rollback: z.boolean().optional(),
    resume: z.boolean().optional(),
    enqueue: z.boolean().optional(),
    widgetContext,
  })
  .refine(({ rollback, resume, certificates }) => !(rollback || resume) || certificates, {
    message: '"rollback" and "resume" need "certificates"',
  })
  .refine(({ rollback, resume, targets }) => !(rollback || resume) || !targets, {
    message: '"rollback" and "resume" are for all targets of a certificate; leave out "targets"',
  })
  .refine(({ rollback, resume }) => !(rollback && resume), {
    message: '"rollback" freezes a version, and "resume" ends that; set only one of them',
  })
  .refine(({ enqueue, dryRun }) => !(enqueue && dryRun), { message: noDryRun })
  .refine(({ enqueue, targets }) => !enqueue || !targets, {
    message: '"enqueue" is for certificates and clusters; leave out "targets"',
  })
  .transform((event) => {
    const { widgetContext: _, ...request } = event;
    return request;
  });

/** A request to `deploy`: everything, or only the named certificates, targets (`cluster/namespace/secret`) or
 *  clusters. `rollback`: put the previous version back and freeze the current one. `resume`: deliver a frozen
 *  version again. `enqueue`: a queue starts the work, and the call answers at once. */
export type DeployRequest = z.infer<typeof deployRequest>;

const probeRequest = z.strictObject({ certificates: names.optional() });

/** A request to `probe`: all certificates, or the named ones. */
export type ProbeRequest = z.infer<typeof probeRequest>;

const discoverRequest = z.strictObject({ dryRun: z.boolean().optional() });

/** A request to `discover`. `dryRun`: register nothing, only report. */
export type DiscoverRequest = z.infer<typeof discoverRequest>;

const exportRequest = z
  .strictObject({
    certificates: names,
    format: z.enum(exportFormats).optional(),
    target: targetName.optional(),
    key: z.boolean().optional(),
  })
  .refine(({ format, target }) => target === undefined || format === 'manifest', {
    message: '"target" needs "format": "manifest"',
  })
  .refine(({ format, key }) => format !== 'manifest' || key === true, {
    message: 'a manifest contains the private key; add "key": true',
  });

/** A request to `export`: certificates as files in a format, or as manifests for all targets or for one. */
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
    message: '"replace" and "drill" are for the certificate in use; leave out "version"',
  })
  .refine(({ wait, replace, drill }) => wait === undefined || replace || drill, {
    message: '"wait" needs "replace" or "drill"; without them there is no successor to wait for',
  })
  // A drill runs the whole replacement, with a certificate that nobody trusts.
  .transform(({ replace, ...request }) => ({ ...request, replace: replace || request.drill }));

/** A request to `revoke`: the version in use, after `replace` has replaced it; or an earlier version. */
export type RevokeRequest = z.infer<typeof revokeRequest>;

const pauseRequest = z
  .strictObject({
    certificates: names,
    reason: z.string().min(1).max(200).optional(),
    until: untilField.optional(),
    resume: z.boolean().optional(),
    widgetContext,
  })
  .refine(({ reason, until, resume }) => (reason === undefined && until === undefined) || !resume, {
    message: '"reason" and "until" are of a pause, and "resume" ends one; set only one of them',
  })
  .transform(({ widgetContext: context, ...request }) => ({
    ...request,
    ...(context && { isFromWidget: true as const }),
  }));

/** A request to `pause`: pause certificates, with a reason for people who read the plan, until a person
 *  resumes them or a time has come; or resume them. `isFromWidget`: a button of a dashboard was pressed. */
export type PauseRequest = z.infer<typeof pauseRequest>;

/** The schema of Secrets Manager's event `Secret Label Updated`, as EventBridge sends it. */
const labelUpdated = z.object({
  source: z.literal('aws.secretsmanager'),
  'detail-type': z.literal('Secret Label Updated'),
  detail: z.object({ name: z.string(), labelUpdated: z.string(), versionId: z.string().optional() }),
});

const sqsBatch = z.object({
  Records: z.array(
    z.object({
      messageId: z.string(),
      body: z.string(),
      eventSource: z.literal('aws:sqs'),
      attributes: z.object({ ApproximateReceiveCount: z.coerce.number().int() }).optional().catch(undefined),
    }),
  ),
});

/** One message of an SQS batch: its request, or why it cannot be parsed. `receives`: how often SQS has
 *  delivered it, this time included; absent if the batch does not say. */
export type RequestMessage<R> =
  | { readonly id: string; readonly request: R; readonly receives?: number }
  | { readonly id: string; readonly problem: string };

/** A direct call, or an SQS batch whose messages succeed or fail one by one. */
export type FunctionEvent<R> =
  | { readonly kind: 'request'; readonly request: R }
  | { readonly kind: 'batch'; readonly messages: readonly RequestMessage<R>[] };

/** The parsed event of `issue`: a request, or an SQS batch of requests.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. Not for a message of a batch:
 *  that has a `problem`. */
export function parseIssueEvent(event: unknown): FunctionEvent<IssueRequest> {
  return refuseQueued(parseEvent(event, (body) => parseFields(issueRequest, body)));
}

/** The parsed event of `deploy`. An event `Secret Label Updated` becomes a request for the certificate whose
 *  AWS secret it names, below `prefix`.
 *  @throws ConfigError `Event`, as `parseIssueEvent`. */
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

/** The parsed event of `probe`.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. */
export function parseProbeEvent(event: unknown): ProbeRequest {
  return parseFields(probeRequest, orEmpty(event));
}

/** The parsed event of `discover`.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. */
export function parseDiscoverEvent(event: unknown): DiscoverRequest {
  return parseFields(discoverRequest, orEmpty(event));
}

/** The parsed event of `export`.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. */
export function parseExportEvent(event: unknown): ExportRequest {
  return parseFields(exportRequest, orEmpty(event));
}

/** The parsed event of `revoke`.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. */
export function parseRevokeEvent(event: unknown): RevokeRequest {
  return parseFields(revokeRequest, orEmpty(event));
}

/** The parsed event of `pause`.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. */
export function parsePauseEvent(event: unknown): PauseRequest {
  return parseFields(pauseRequest, orEmpty(event));
}

/** A direct call, or a batch, whose bodies `parseBody` parses.
 *  @throws what `parseBody` throws for a direct call. A message of a batch has a `problem` instead. */
export function parseEvent<R>(event: unknown, parseBody: (body: unknown) => R): FunctionEvent<R> {
  const batch = sqsBatch.safeParse(event);
  if (!batch.success) return { kind: 'request', request: parseBody(orEmpty(event)) };
  const messages = batch.data.Records.map(({ messageId: id, body, attributes }): RequestMessage<R> => {
    const receives = attributes?.ApproximateReceiveCount;
    try {
      return { id, request: parseBody(JSON.parse(body)), ...(receives !== undefined && { receives }) };
    } catch (error) {
      return { id, problem: error instanceof ConfigError ? error.message : 'the body is not JSON' };
    }
  });
  return { kind: 'batch', messages };
}
