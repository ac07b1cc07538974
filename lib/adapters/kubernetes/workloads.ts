// Deployments, StatefulSets and DaemonSets over the API: list, and patch their pod template.
import { PatchStrategy } from '@kubernetes/client-node';
import * as z from 'zod';
import type { WorkloadKind } from '../../certificate/spec.ts';
import { restartAnnotation, sinceAnnotation, type Workload } from '../../policy/kubernetes/objects.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { CallOptions, Connection } from './connection.ts';
import type { CallSubject } from './failure.ts';
import { listAll, objectName, type PageRequest, parseAnswer, type RequestPage } from './lists.ts';
import { describePatch, findUses, podTemplate, readRefresh } from './pod-template.ts';
import { judgeRollout, rolloutFields } from './rollout.ts';

const templateFields = z.object({
  metadata: z.object({
    name: objectName,
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({ template: podTemplate }),
});

const resources = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
} as const;

/** The workload calls of a cluster, over its connection; `cluster` is the inventory's name for it, for messages. */
export function workloadCalls(
  cluster: string,
  connection: Connection,
): Pick<Cluster, 'listWorkloads' | 'restartWorkload'> {
  return {
    async listWorkloads(namespace, kind, signal) {
      const subject = { cluster, verb: 'list', resource: resources[kind], namespace } as const;
      const requestPage: RequestPage = (request, options) =>
        listPage(connection.apps, kind, request, options);
      return listAll({ connection, subject, signal }, requestPage, (item) =>
        parseWorkload(kind, item, subject),
      );
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
  request: PageRequest,
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
  const fields = parseAnswer(rolloutFields, answer, subject);
  const { metadata, spec } = parseAnswer(templateFields, answer, subject);
  const marks = spec.template.metadata.annotations;
  return {
    kind,
    name: metadata.name,
    ...findUses(spec.template),
    annotations: marks,
    ...readRefresh(spec.template),
    rolloutSince: readSince(metadata.annotations[sinceAnnotation]),
    generation: fields.metadata.generation,
    rollout: judgeRollout(kind, fields),
    hasGapOnRestart: fields.spec.replicas > 0 && fields.spec.strategy?.type === 'Recreate',
    refusesRestart: [metadata.annotations, marks].some((map) => map[restartAnnotation] === 'false'),
  };
}

/** Anybody may have written it. */
function readSince(text: string | undefined): Date | undefined {
  const since = new Date(text ?? '');
  return Number.isNaN(since.getTime()) ? undefined : since;
}
