// Lists Deployments, StatefulSets and DaemonSets, and restarts them by a patch of their pod template.
import { PatchStrategy } from '@kubernetes/client-node';
import * as z from 'zod';
import type { WorkloadKind } from '../../certificate/rollout-spec.ts';
import { oneLine } from '../../policy/bounds.ts';
import { restartAnnotation, sinceAnnotation, type Workload } from '../../policy/kubernetes/objects.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { CallOptions, Connection } from './connection.ts';
import type { CallSubject } from './failure.ts';
import { listAll, objectName, type PageRequest, parseResponse, type RequestPage } from './lists.ts';
import { countPods, judgeRollout, rolloutFields } from './rollout.ts';
import { describePatch, findUses, podTemplate, readRefresh } from './secret-uses.ts';

const owner = z.object({ kind: z.string(), name: z.string(), controller: z.boolean().default(false) });

const templateFields = z.object({
  metadata: z.object({
    name: objectName,
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(owner).default([]),
  }),
  spec: z.object({ template: podTemplate }),
});

/** Characters of an owner's kind and name in messages. Anybody can write an owner reference. */
const longestOwner = 120;

const resources = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
} as const;

/** The calls about workloads. `cluster`: its name in the inventory, for messages. */
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

    async restartWorkload(namespace, { kind, name }, change, signal) {
      const subject = { cluster, verb: 'patch', resource: resources[kind], namespace, name } as const;
      const request = { namespace, name, body: describePatch(change), fieldManager: 'certrelay' };
      const settings = { signal, patch: PatchStrategy.StrategicMergePatch };
      const response = await connection.call(subject, settings, (options) =>
        patch(connection.apps, kind, request, options),
      );
      return parseWorkload(kind, response, subject);
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

/** A workload as the API has it. @throws ClusterError `Malformed` if it is none. */
export function parseWorkload(kind: WorkloadKind, response: unknown, subject: CallSubject): Workload {
  const fields = parseResponse(rolloutFields, response, subject);
  const { metadata, spec } = parseResponse(templateFields, response, subject);
  const templateAnnotations = spec.template.metadata.annotations;
  const controller = metadata.ownerReferences.find((reference) => reference.controller);
  const own = Object.entries(metadata.annotations).filter(([key]) => key.startsWith('certrelay.dev/'));
  return {
    kind,
    name: metadata.name,
    ...findUses(spec.template),
    annotations: templateAnnotations,
    ownAnnotations: Object.fromEntries(own),
    ...(controller ? { owner: oneLine(`${controller.kind} ${controller.name}`, longestOwner) } : {}),
    ...readRefresh(spec.template),
    rolloutSince: readSince(metadata.annotations[sinceAnnotation]),
    generation: fields.metadata.generation,
    rollout: judgeRollout(kind, fields),
    updateRevision: fields.status.updateRevision,
    ...countPods(kind, fields),
    hasGapOnRestart: fields.spec.replicas > 0 && fields.spec.strategy?.type === 'Recreate',
    refusesRestart: [metadata.annotations, templateAnnotations].some(
      (annotations) => annotations[restartAnnotation] === 'false',
    ),
  };
}

/** The instant in the annotation, which anyone can write; `undefined` if it is not a date. */
function readSince(text: string | undefined): Date | undefined {
  const since = new Date(text ?? '');
  return Number.isNaN(since.getTime()) ? undefined : since;
}
