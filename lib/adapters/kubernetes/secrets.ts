// Reads, applies (server-side), lists and deletes Kubernetes Secrets.
import { PatchStrategy } from '@kubernetes/client-node';
import * as z from 'zod';
import { oneLine } from '../../policy/bounds.ts';
import { type ClusterSecret, managedByLabel } from '../../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import type { Connection } from './connection.ts';
import type { CallSubject } from './failure.ts';
import { listAll, objectName, parseResponse, type RequestPage } from './lists.ts';

const map = z.record(z.string(), z.string()).default({});

const fields = z.record(z.string(), z.unknown()).optional();

const secret = z.object({
  metadata: z.object({
    name: z.string().optional(),
    namespace: z.string().optional(),
    uid: z.string(),
    resourceVersion: z.string(),
    labels: map,
    annotations: map,
    ownerReferences: z
      .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().optional() }))
      .default([]),
    managedFields: z
      .array(
        z.object({
          manager: z.string().optional(),
          operation: z.string().optional(),
          time: z.string().optional(),
          fieldsV1: z
            .object({
              'f:data': fields,
              'f:metadata': z.object({ 'f:labels': fields, 'f:annotations': fields }).optional(),
            })
            .optional(),
        }),
      )
      .default([]),
  }),
  type: z.string().default('Opaque'),
  immutable: z.boolean().default(false),
  data: map,
});

/** Characters of a field manager's name in messages; the API server allows 128. */
const longestManager = 128;

const withName = z.object({ metadata: z.object({ name: objectName }) });

/** The calls about Kubernetes Secrets. `cluster`: its name in the inventory, for messages. */
export function secretCalls(
  cluster: string,
  connection: Connection,
): Pick<Cluster, 'readSecret' | 'applySecret' | 'listSecrets' | 'deleteSecret'> {
  const { core } = connection;
  const subjectOf = (verb: CallSubject['verb'], namespace: string, name: string): CallSubject => ({
    cluster,
    verb,
    resource: 'secrets',
    namespace,
    name,
  });
  return {
    async readSecret(namespace, name, signal) {
      const subject = subjectOf('get', namespace, name);
      try {
        const response = await connection.call(subject, { signal }, (options) =>
          core.readNamespacedSecret({ namespace, name }, options),
        );
        return parseSecret(subject, response);
      } catch (error) {
        if (error instanceof ClusterError && error.code === 'NotFound') return undefined;
        throw error;
      }
    },

    async applySecret(manifest, { manager, over }, signal) {
      const { namespace, name, type, labels, annotations, data } = manifest;
      const subject = subjectOf('patch', namespace, name);
      const body = {
        apiVersion: 'v1',
        kind: 'Secret',
        // With the version it is a compare-and-swap: the server refuses it if the Secret has changed since.
        metadata: { name, namespace, labels, annotations, resourceVersion: over?.resourceVersion },
        type,
        data,
      };
      const request = { namespace, name, body, fieldManager: manager, force: over !== undefined };
      const settings = { signal, patch: PatchStrategy.ServerSideApply };
      const response = await connection.call(subject, settings, (options) =>
        core.patchNamespacedSecret(request, options),
      );
      return parseSecret(subject, response);
    },

    async listSecrets(namespace, signal) {
      const subject: CallSubject = { cluster, verb: 'list', resource: 'secrets', namespace };
      const labelSelector = `${managedByLabel.name}=${managedByLabel.value}`;
      const requestPage: RequestPage = (request, options) =>
        core.listNamespacedSecret({ ...request, labelSelector }, options);
      return listAll({ connection, subject, signal }, requestPage, (item) => {
        const { name } = parseResponse(withName, item, subject).metadata;
        return { name, secret: parseSecret({ ...subject, name }, item) };
      });
    },

    async deleteSecret(namespace, name, over, signal) {
      const preconditions = { uid: over.uid, resourceVersion: over.resourceVersion };
      try {
        await connection.call(subjectOf('delete', namespace, name), { signal }, (options) =>
          core.deleteNamespacedSecret({ namespace, name, body: { preconditions } }, options),
        );
      } catch (error) {
        // An earlier attempt may have deleted it, and its response was lost.
        if (!(error instanceof ClusterError && error.code === 'NotFound')) throw error;
      }
    },
  };
}

/** A Secret as the API has it. @throws ClusterError `Malformed` if it is none. */
export function parseSecret(subject: CallSubject, response: unknown): ClusterSecret {
  const secretName = `${subject.namespace}/${subject.name ?? ''} in cluster ${subject.cluster}`;
  const parsed = secret.safeParse(response);
  if (!parsed.success) {
    throw new ClusterError('Malformed', `the answer for Secret ${secretName} is not a Kubernetes Secret`);
  }
  const { metadata, type, immutable, data } = parsed.data;
  const { name = subject.name, namespace = subject.namespace } = metadata;
  if (name !== subject.name || namespace !== subject.namespace) {
    const message = `the answer for Secret ${secretName} is another Secret: check admission webhooks, and proxies before the API server`;
    throw new ClusterError(subject.verb === 'list' ? 'Malformed' : 'Rejected', message);
  }
  const applied = metadata.managedFields.filter(
    ({ manager, operation }) => manager === 'certrelay' && operation === 'Apply',
  );
  return {
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    type,
    immutable,
    labels: metadata.labels,
    annotations: metadata.annotations,
    data,
    appliedAt: readInstant(applied[0]?.time),
    owner: metadata.ownerReferences.find(({ controller }) => controller) ?? metadata.ownerReferences[0],
    otherWriters: metadata.managedFields
      .filter((entry) => !applied.includes(entry))
      .map(({ manager = 'an unknown writer', time, fieldsV1 }) => {
        return {
          manager: oneLine(manager, longestManager),
          at: readInstant(time),
          data: namesOf(fieldsV1?.['f:data']),
        };
      })
      .filter(({ data: names }) => names.length > 0),
    owned: {
      data: applied.flatMap(({ fieldsV1 }) => namesOf(fieldsV1?.['f:data'])),
      labels: applied.flatMap(({ fieldsV1 }) => namesOf(fieldsV1?.['f:metadata']?.['f:labels'])),
      annotations: applied.flatMap(({ fieldsV1 }) => namesOf(fieldsV1?.['f:metadata']?.['f:annotations'])),
    },
  };
}

function readInstant(text: string | undefined): Date | undefined {
  const instant = new Date(text ?? '');
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

/** The names in a field set of `managedFields`, e.g. `tls.crt` of `f:tls.crt`. */
function namesOf(fieldSet: Readonly<Record<string, unknown>> = {}): readonly string[] {
  return Object.keys(fieldSet)
    .filter((field) => field.startsWith('f:'))
    .map((field) => field.slice(2));
}
