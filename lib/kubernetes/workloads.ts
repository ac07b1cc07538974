// Deployments, StatefulSets and DaemonSets over the API: list, and patch their pod template.
import { PatchStrategy } from '@kubernetes/client-node';
import * as z from 'zod';
import type { WorkloadKind } from '../certificate/spec.ts';
import type { Cluster } from '../cluster-ports.ts';
import { ClusterError } from '../errors.ts';
import type { Workload } from '../policy/cluster-objects.ts';
import type { CallOptions, Connection } from './connection.ts';
import type { CallSubject } from './failure.ts';
import { describePatch, findSecrets, podTemplate, readRefresh } from './pod-template.ts';
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

/** The workload calls of a cluster, over its connection; `cluster` is the inventory's name for it, for messages. */
export function workloadCalls(
  cluster: string,
  connection: Connection,
): Pick<Cluster, 'listWorkloads' | 'restartWorkload'> {
  return {
    async listWorkloads(namespace, kind, signal) {
      const subject = { cluster, verb: 'list', resource: resources[kind], namespace } as const;
      const found: Workload[] = [];
      let _continue: string | undefined;
      do {
        const request = { namespace, limit: pageSize, _continue };
        const answer = await connection.call(subject, { signal }, (options) =>
          listPage(connection.apps, kind, request, options),
        );
        const page = parse(listFields, answer, subject);
        found.push(...page.items.map((item) => parseWorkload(kind, item, subject)));
        _continue = page.metadata._continue || undefined;
      } while (_continue !== undefined);
      return found;
    },

    async restartWorkload(namespace, { kind, name }, mark, signal) {
      const subject = { cluster, verb: 'patch', resource: resources[kind], namespace, name } as const;
      const request = { namespace, name, body: describePatch(mark), fieldManager: 'certrelay' };
      const settings = { signal, patch: PatchStrategy.StrategicMergePatch };
      const answer = await connection.call(subject, settings, (options) =>
        patch(connection.apps, kind, request, options),
      );
      return parseWorkload(kind, answer, subject);
    },
  };
}

type Apps = Connection['apps'];

function listPage(
  apps: Apps,
  kind: WorkloadKind,
  request: { readonly namespace: string; readonly limit: number; readonly _continue?: string },
  options: CallOptions,
): Promise<unknown> {
  switch (kind) {
    case 'Deployment':
      return apps.listNamespacedDeployment(request, options);
    case 'StatefulSet':
      return apps.listNamespacedStatefulSet(request, options);
    case 'DaemonSet':
      return apps.listNamespacedDaemonSet(request, options);
  }
}

function patch(
  apps: Apps,
  kind: WorkloadKind,
  request: {
    readonly namespace: string;
    readonly name: string;
    readonly body: object;
    readonly fieldManager: string;
  },
  options: CallOptions,
): Promise<unknown> {
  switch (kind) {
    case 'Deployment':
      return apps.patchNamespacedDeployment(request, options);
    case 'StatefulSet':
      return apps.patchNamespacedStatefulSet(request, options);
    case 'DaemonSet':
      return apps.patchNamespacedDaemonSet(request, options);
  }
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
