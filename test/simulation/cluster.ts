// A cluster in memory behind the port of the stories: Secrets as the API server keeps them (server-side
// apply, managed fields, resource versions) and workloads whose pods roll over virtual time.
import { parseSecret } from '../../lib/adapters/kubernetes/secrets.ts';
import { parseWorkload } from '../../lib/adapters/kubernetes/workloads.ts';
import {
  type ClusterSecret,
  managedByLabel,
  type SecretManifest,
  type Workload,
} from '../../lib/policy/kubernetes/objects.ts';
import { applyFields, ownChanges } from '../sandbox/kubernetes/managed-fields.ts';
import { type KubernetesObject, kubernetesObject, ObjectStore } from '../sandbox/kubernetes/objects.ts';
import { mergePatch, strategicMergePatch } from '../sandbox/kubernetes/patches.ts';
import { conflict, type ResourceKind } from '../sandbox/kubernetes/status.ts';
import { validate, withDefaults } from '../sandbox/kubernetes/validation.ts';
import type { VirtualClock } from './clock.ts';
import { type PodSurroundings, type WorkloadHabits, WorkloadPods } from './pods.ts';

/** The only namespace. */
export const namespace = 'shop';

/** Who changed something: an invocation by its name, or a person. */
export interface ClusterChange {
  readonly cluster: string;
  readonly name: string;
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject | undefined;
}

const secrets: ResourceKind = {
  group: '',
  version: 'v1',
  resource: 'secrets',
  kind: 'Secret',
  namespaced: true,
};

/** One cluster. Its methods take effect at once; a person may call them, too. */
export class MemoryCluster {
  readonly name: string;
  readonly workloads = new Map<string, WorkloadPods>();
  /** Is told of every change of a Secret or of a workload's object. */
  onChange: (what: 'secret' | 'workload', change: ClusterChange) => void = () => undefined;
  readonly #clock: VirtualClock;
  readonly #objects = new ObjectStore();

  constructor(name: string, clock: VirtualClock) {
    this.name = name;
    this.#clock = clock;
  }

  /** Epoch milliseconds. */
  get now(): number {
    return this.#clock.now;
  }

  /** Notes that pods of a workload were taken away, which changes no object. */
  onDrain(key: string): void {
    const object = this.workload(key);
    this.onChange('workload', { cluster: this.name, name: key, before: object, after: object });
  }

  /** The Secret's object; `undefined` if there is none. */
  secret(name: string): KubernetesObject | undefined {
    return this.#objects.find('secrets', namespace, name);
  }

  /** `tls.crt` of a Secret, as base64. */
  valueOf(name: string): string | undefined {
    return this.readSecret(name)?.data['tls.crt'];
  }

  /** The object of a workload, by `Deployment web`. */
  workload(key: string): KubernetesObject {
    const [kind = '', name = ''] = key.split(' ');
    return this.#objects.get(kindOf(kind), namespace, name);
  }

  /** Adds a workload with its pods to come. */
  add(habits: WorkloadHabits, body: object, rejects: PodSurroundings['rejects']): void {
    const key = `${habits.kind} ${habits.name}`;
    const object = kubernetesObject.parse(body);
    validate(kindOf(habits.kind), object, undefined);
    this.#objects.create(kindOf(habits.kind), namespace, object, this.#date());
    const around = {
      find: () => this.workload(key),
      valueOf: (secret: string) => this.valueOf(secret),
      rejects,
    };
    const pods = new WorkloadPods(habits, around);
    this.workloads.set(key, pods);
    pods.noteChange(this.#clock.now);
  }

  /** Lets the controllers come to the present. */
  advance(): void {
    for (const pods of this.workloads.values()) pods.advance(this.#clock.now);
  }

  /** Changes a Secret by a merge patch, as `kubectl` does. */
  patchSecret(name: string, patch: object, manager: string): void {
    this.#changeSecret(name, (before) => {
      if (!before) return undefined;
      const patched = kubernetesObject.parse(mergePatch(before, patch));
      const owned = ownChanges(before, patched, manager, this.#date());
      return this.#objects.update(secrets, before, owned);
    });
  }

  /** Server-side apply of a Secret. @throws StatusError */
  applySecret(manifest: SecretManifest, manager: string, over: string | undefined): void {
    const { name, labels, annotations, type, data } = manifest;
    const applied = kubernetesObject.parse({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, labels, annotations, ...(over && { resourceVersion: over }) },
      type,
      data,
    });
    this.#changeSecret(name, (before) => {
      const options = { manager, force: over !== undefined, now: this.#date() };
      const result = applyFields(before, applied, options);
      validate(secrets, withDefaults(secrets, result), before);
      if (before) return this.#objects.update(secrets, before, result);
      if (over !== undefined) throw conflict(secrets, name);
      return this.#objects.create(secrets, namespace, result, this.#date());
    });
  }

  /** Deletes a Secret. @throws StatusError if it has changed since `over`. */
  deleteSecret(name: string, over?: string): void {
    this.#changeSecret(name, (before) => {
      if (over !== undefined && before && before.metadata.resourceVersion !== over)
        throw conflict(secrets, name);
      this.#objects.remove(secrets, namespace, name);
      return undefined;
    });
  }

  /** Changes the object of a workload by a strategic merge patch. */
  patchWorkload(key: string, patch: object): void {
    this.advance();
    const before = this.workload(key);
    const patched = kubernetesObject.parse(strategicMergePatch(before, patch));
    const after = this.#objects.update(kindOf(before.kind), before, patched);
    this.workloads.get(key)?.noteChange(this.#clock.now);
    this.onChange('workload', { cluster: this.name, name: key, before, after });
  }

  /** The Secret as the port gives it. */
  readSecret(name: string): ClusterSecret | undefined {
    const found = this.secret(name);
    return (
      found && parseSecret({ cluster: this.name, verb: 'get', resource: 'secrets', namespace, name }, found)
    );
  }

  /** Names of all Secrets with our label. */
  ownSecrets(): readonly string[] {
    return this.#objects
      .list('secrets', namespace)
      .filter(({ metadata }) => metadata.labels?.[managedByLabel.name] === managedByLabel.value)
      .map(({ metadata }) => metadata.name);
  }

  /** The workload as the port gives it. */
  readWorkload(key: string): Workload {
    this.advance();
    const object = this.workload(key);
    const pods = this.workloads.get(key);
    const status = pods?.statusOf(this.#clock.now);
    const { resource } = kindOf(object.kind);
    const subject = { cluster: this.name, verb: 'get', resource, namespace } as const;
    return parseWorkload(pods?.habits.kind ?? 'Deployment', { ...object, status }, subject);
  }

  #changeSecret(
    name: string,
    change: (before: KubernetesObject | undefined) => KubernetesObject | undefined,
  ) {
    this.advance();
    const before = this.secret(name);
    const after = change(before);
    if (before === after) return;
    for (const pods of this.workloads.values()) {
      if (pods.habits.secrets.includes(name)) pods.noteChange(this.#clock.now);
    }
    this.onChange('secret', { cluster: this.name, name, before, after });
  }

  #date(): Date {
    return new Date(this.#clock.now);
  }
}

function kindOf(kind: string): ResourceKind {
  return { group: 'apps', version: 'v1', resource: `${kind.toLowerCase()}s`, kind, namespaced: true };
}
