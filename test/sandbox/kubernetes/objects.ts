// Objects of the embedded API server: kinds, and a store with resource versions and generations as the real
// one keeps.
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { builtIn } from './kinds.ts';
import { alreadyExists, conflict, notFound, type ResourceKind } from './status.ts';

const definition = z.object({
  spec: z.object({
    group: z.string(),
    scope: z.enum(['Namespaced', 'Cluster']),
    names: z.object({
      plural: z.string(),
      kind: z.string(),
      shortNames: z.array(z.string()).optional(),
      categories: z.array(z.string()).optional(),
    }),
    versions: z.array(z.object({ name: z.string(), served: z.boolean() })),
  }),
});

const map = z.record(z.string(), z.string()).nullish();

/** Any object: its own fields beside `metadata` stay as they are. */
export const kubernetesObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    generation: z.number().optional(),
    labels: map,
    annotations: map,
    managedFields: z
      .array(
        z.object({
          manager: z.string(),
          operation: z.enum(['Apply', 'Update']),
          apiVersion: z.string(),
          time: z.string(),
          fieldsType: z.literal('FieldsV1'),
          fieldsV1: z.record(z.string(), z.unknown()),
        }),
      )
      .optional(),
  }),
});
export type KubernetesObject = z.infer<typeof kubernetesObject>;

export class ObjectStore {
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #listeners = new Set<() => void>();
  #version = 1000;

  /** Another store with the same objects. */
  copy(): ObjectStore {
    const copied = new ObjectStore();
    for (const [key, object] of this.#objects) copied.#objects.set(key, object);
    copied.#version = this.#version;
    return copied;
  }

  /** What the API knows: the built-in kinds, and those of the definitions that were applied. */
  kinds(): readonly ResourceKind[] {
    const defined = this.list('customresourcedefinitions', '').flatMap((object) => {
      const { group, scope, names, versions } = definition.parse(object).spec;
      return versions
        .filter(({ served }) => served)
        .map(({ name: version }) => ({
          group,
          version,
          resource: names.plural,
          kind: names.kind,
          namespaced: scope === 'Namespaced',
          shortNames: names.shortNames,
          categories: names.categories,
          knownBy: 'definition' as const,
        }));
    });
    return [...builtIn, ...defined];
  }

  /** The object, or a 404. */
  get(kind: ResourceKind, namespace: string, name: string): KubernetesObject {
    const found = this.find(kind.resource, namespace, name);
    if (!found) throw notFound(kind, name);
    return found;
  }

  find(resource: string, namespace: string, name: string): KubernetesObject | undefined {
    return this.#objects.get(keyOf(resource, namespace, name));
  }

  /** By name; `namespace` empty: of all namespaces. */
  list(resource: string, namespace: string): readonly KubernetesObject[] {
    const start = namespace === '' ? `${resource}/` : `${resource}/${namespace}/`;
    return [...this.#objects]
      .filter(([key]) => key.startsWith(start))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  create(kind: ResourceKind, namespace: string, object: KubernetesObject, now: Date): KubernetesObject {
    const { name } = object.metadata;
    if (this.find(kind.resource, namespace, name)) throw alreadyExists(kind, name);
    const created: KubernetesObject = {
      ...object,
      metadata: {
        ...object.metadata,
        ...(kind.namespaced ? { namespace } : {}),
        uid: randomUUID(),
        creationTimestamp: now.toISOString().replace(/\.\d+Z$/, 'Z'),
        ...(kind.group === 'apps' || kind.knownBy === 'definition' ? { generation: 1 } : {}),
      },
    };
    return this.#keep(kind, namespace, created);
  }

  /** As it was in another store, but for what each store gives: uid and resource version. */
  restore(kind: ResourceKind, namespace: string, object: KubernetesObject, now: Date): void {
    const { generation, managedFields } = object.metadata;
    const created = this.create(kind, namespace, object, now);
    this.#keep(kind, namespace, { ...created, metadata: { ...created.metadata, generation, managedFields } });
  }

  /** Replaces `before` by `after`. Nothing happens where they are equal; a changed `spec` is a new
   *  generation. */
  update(kind: ResourceKind, before: KubernetesObject, after: KubernetesObject): KubernetesObject {
    const asked = after.metadata.resourceVersion;
    if (asked !== undefined && asked !== before.metadata.resourceVersion)
      throw conflict(kind, before.metadata.name);
    const { uid, generation, creationTimestamp, resourceVersion, namespace, name } = before.metadata;
    const isNewSpec = JSON.stringify(before.spec) !== JSON.stringify(after.spec);
    const next: KubernetesObject = {
      ...after,
      metadata: {
        ...after.metadata,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        uid,
        creationTimestamp,
        resourceVersion,
        ...(generation === undefined ? {} : { generation: generation + (isNewSpec ? 1 : 0) }),
      },
    };
    if (isDeepEqual(before, next)) return before;
    return this.#keep(kind, namespace ?? '', next);
  }

  remove(kind: ResourceKind, namespace: string, name: string): void {
    this.#objects.delete(keyOf(kind.resource, namespace, name));
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }

  /** Calls the listener after each change, until the function that it gives is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resource version of the newest change. */
  version(): string {
    return String(this.#version);
  }

  #keep(kind: ResourceKind, namespace: string, object: KubernetesObject): KubernetesObject {
    this.#version += 1;
    const kept = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(keyOf(kind.resource, namespace, object.metadata.name), kept);
    for (const listener of this.#listeners) listener();
    return kept;
  }
}

function keyOf(resource: string, namespace: string, name: string): string {
  return `${resource}/${namespace}/${name}`;
}

/** Equal but for the order of keys and for when a manager last wrote. */
function isDeepEqual(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (key === 'time') return undefined;
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([x], [y]) => (x < y ? -1 : 1)));
  });
}
