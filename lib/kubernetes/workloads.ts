// Deployments, StatefulSets and DaemonSets over the API: list, and patch their pod template.
import { PatchStrategy } from '@kubernetes/client-node';
import * as z from 'zod';
import type { WorkloadKind, WorkloadReference } from '../certificate/spec.ts';
import { ClusterError } from '../errors.ts';
import { type RestartMark, refreshVariable, type Workload } from '../policy/cluster-objects.ts';
import type { CallOptions, Connection } from './connection.ts';
import type { CallSubject } from './failure.ts';
import { findSecrets, podTemplate, readRefresh } from './pod-template.ts';
import { judgeRollout, rolloutFields } from './rollout.ts';

const templateFields = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ template: podTemplate }),
});

const listFields = z.object({
  metadata: z.object({ _continue: z.string().optional() }).default({}),
  items: z.array(z.unknown()),
});

const resources = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
} as const;

/** Objects a page: lists of large namespaces come in parts. */
const pageSize = 500;

/** The workload calls of `Cluster` (`lib/cluster-ports.ts`) on one connection. */
export class Workloads {
  readonly #cluster: string;
  readonly #connection: Connection;

  constructor(cluster: string, connection: Connection) {
    this.#cluster = cluster;
    this.#connection = connection;
  }

  async list(namespace: string, kind: WorkloadKind, signal: AbortSignal): Promise<readonly Workload[]> {
    const subject = this.#subject('list', kind, namespace);
    const found: Workload[] = [];
    let _continue: string | undefined;
    do {
      const request = { namespace, limit: pageSize, _continue };
      const answer = await this.#connection.call(subject, { signal }, (options) =>
        this.#listPage(kind, request, options),
      );
      const page = parse(listFields, answer, subject);
      found.push(...page.items.map((item) => parseWorkload(kind, item, subject)));
      _continue = page.metadata._continue || undefined;
    } while (_continue !== undefined);
    return found;
  }

  async restart(
    namespace: string,
    { kind, name }: WorkloadReference,
    mark: RestartMark,
    signal: AbortSignal,
  ): Promise<Workload> {
    const subject = this.#subject('patch', kind, namespace, name);
    const request = { namespace, name, body: describePatch(mark), fieldManager: 'certrelay' };
    const answer = await this.#connection.call(
      subject,
      { signal, patch: PatchStrategy.StrategicMergePatch },
      (options) => this.#patch(kind, request, options),
    );
    return parseWorkload(kind, answer, subject);
  }

  #listPage(
    kind: WorkloadKind,
    request: { readonly namespace: string; readonly limit: number; readonly _continue?: string },
    options: CallOptions,
  ): Promise<unknown> {
    const { apps } = this.#connection;
    switch (kind) {
      case 'Deployment':
        return apps.listNamespacedDeployment(request, options);
      case 'StatefulSet':
        return apps.listNamespacedStatefulSet(request, options);
      case 'DaemonSet':
        return apps.listNamespacedDaemonSet(request, options);
    }
  }

  #patch(
    kind: WorkloadKind,
    request: {
      readonly namespace: string;
      readonly name: string;
      readonly body: object;
      readonly fieldManager: string;
    },
    options: CallOptions,
  ): Promise<unknown> {
    const { apps } = this.#connection;
    switch (kind) {
      case 'Deployment':
        return apps.patchNamespacedDeployment(request, options);
      case 'StatefulSet':
        return apps.patchNamespacedStatefulSet(request, options);
      case 'DaemonSet':
        return apps.patchNamespacedDaemonSet(request, options);
    }
  }

  #subject(verb: CallSubject['verb'], kind: WorkloadKind, namespace: string, name?: string): CallSubject {
    return { cluster: this.#cluster, verb, resource: resources[kind], namespace, name };
  }
}

/** The strategic merge patch for a mark: it touches one annotation or one variable and nothing beside it. */
export function describePatch(mark: RestartMark): object {
  const template =
    mark.kind === 'annotation'
      ? { metadata: { annotations: { [mark.key]: mark.value } } }
      : {
          spec: {
            containers: [{ name: mark.container, env: [{ name: refreshVariable, value: mark.value }] }],
          },
        };
  return { spec: { template } };
}

function parseWorkload(kind: WorkloadKind, answer: unknown, subject: CallSubject): Workload {
  const fields = parse(rolloutFields, answer, subject);
  const { metadata, spec } = parse(templateFields, answer, subject);
  return {
    kind,
    name: metadata.name,
    secrets: findSecrets(spec.template),
    annotations: spec.template.metadata.annotations,
    ...readRefresh(spec.template),
    generation: fields.metadata.generation,
    rollout: judgeRollout(kind, fields),
    hasGapOnRestart: fields.spec.replicas > 0 && fields.spec.strategy?.type === 'Recreate',
  };
}

function parse<T>(schema: z.ZodType<T>, answer: unknown, { cluster, resource, namespace }: CallSubject): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw new ClusterError(
    'Malformed',
    `cluster ${cluster}: the answer for ${resource} in ${namespace} is not what the API documents (${where})`,
  );
}
