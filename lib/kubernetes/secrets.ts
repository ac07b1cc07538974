// Cluster Secrets over the API: read, server-side apply, delete.
import { PatchStrategy } from '@kubernetes/client-node';
import * as z from 'zod';
import type { FieldManager } from '../cluster-ports.ts';
import { ClusterError } from '../errors.ts';
import type { ClusterSecret, SecretManifest } from '../policy/cluster-objects.ts';
import type { Connection } from './connection.ts';
import type { CallSubject } from './failure.ts';

const map = z.record(z.string(), z.string()).default({});

const secret = z.object({
  metadata: z.object({
    uid: z.string(),
    resourceVersion: z.string(),
    labels: map,
    annotations: map,
    managedFields: z
      .array(
        z.object({
          manager: z.string().optional(),
          operation: z.string().optional(),
          fieldsV1: z.object({ 'f:data': z.record(z.string(), z.unknown()).optional() }).optional(),
        }),
      )
      .default([]),
  }),
  type: z.string().default('Opaque'),
  immutable: z.boolean().default(false),
  data: map,
});

/** The Secret calls of `Cluster` (`lib/cluster-ports.ts`) on one connection. */
export class Secrets {
  readonly #cluster: string;
  readonly #connection: Connection;

  constructor(cluster: string, connection: Connection) {
    this.#cluster = cluster;
    this.#connection = connection;
  }

  async read(namespace: string, name: string, signal: AbortSignal): Promise<ClusterSecret | undefined> {
    const subject = this.#subject('get', namespace, name);
    try {
      const answer = await this.#connection.call(subject, { signal }, (options) =>
        this.#connection.core.readNamespacedSecret({ namespace, name }, options),
      );
      return parseSecret(subject, answer);
    } catch (error) {
      if (error instanceof ClusterError && error.code === 'NotFound') return undefined;
      throw error;
    }
  }

  async apply(
    manifest: SecretManifest,
    { manager, over }: { readonly manager: FieldManager; readonly over?: ClusterSecret },
    signal: AbortSignal,
  ): Promise<ClusterSecret> {
    const { namespace, name, type, labels, annotations, data } = manifest;
    const subject = this.#subject('patch', namespace, name);
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      // The version makes it a compare-and-swap: the server refuses where the Secret has changed since.
      metadata: { name, namespace, labels, annotations, resourceVersion: over?.resourceVersion },
      type,
      data,
    };
    const answer = await this.#connection.call(
      subject,
      { signal, patch: PatchStrategy.ServerSideApply },
      (options) =>
        this.#connection.core.patchNamespacedSecret(
          { namespace, name, body, fieldManager: manager, force: over !== undefined },
          options,
        ),
    );
    return parseSecret(subject, answer);
  }

  async delete(namespace: string, name: string, over: ClusterSecret, signal: AbortSignal): Promise<void> {
    const preconditions = { uid: over.uid, resourceVersion: over.resourceVersion };
    try {
      await this.#connection.call(this.#subject('delete', namespace, name), { signal }, (options) =>
        this.#connection.core.deleteNamespacedSecret({ namespace, name, body: { preconditions } }, options),
      );
    } catch (error) {
      // The answer of an earlier attempt may have been lost.
      if (!(error instanceof ClusterError && error.code === 'NotFound')) throw error;
    }
  }

  #subject(verb: CallSubject['verb'], namespace: string, name: string): CallSubject {
    return { cluster: this.#cluster, verb, resource: 'secrets', namespace, name };
  }
}

function parseSecret(subject: CallSubject, answer: unknown): ClusterSecret {
  const parsed = secret.safeParse(answer);
  if (!parsed.success) {
    const where = `${subject.namespace}/${subject.name ?? ''} in cluster ${subject.cluster}`;
    throw new ClusterError('Malformed', `the answer for Secret ${where} is not a Kubernetes Secret`);
  }
  const { metadata, type, immutable, data } = parsed.data;
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
    ownedKeys: applied
      .flatMap(({ fieldsV1 }) => Object.keys(fieldsV1?.['f:data'] ?? {}))
      .filter((field) => field.startsWith('f:'))
      .map((field) => field.slice(2)),
  };
}
