// Lists workloads, and restarts them: by a patch of their pod template, Rollouts by one of `restartAt`.
import { PatchStrategy } from '@kubernetes/client-node';
import * as z from 'zod';
import type { AppsKind, WorkloadKind } from '../../certificate/rollout-spec.ts';
import { oneLine } from '../../policy/bounds.ts';
import { restartAnnotation, sinceAnnotation, type Workload } from '../../policy/kubernetes/objects.ts';
import type { Cluster } from '../../ports/cluster.ts';
import { argoFields, argoResource, describeArgoPatch, judgeArgo } from './argo-rollouts.ts';
import type { CallOptions, Connection } from './connection.ts';
import type { CallSubject } from './failure.ts';
import { listAll, objectName, type PageRequest, parseResponse, type RequestPage } from './lists.ts';
import { countPods, judgeRollout, rolloutFields } from './rollout.ts';
import { describePatch, findUses, podTemplate, readRefresh } from './secret-uses.ts';

const owner = z.object({ kind: z.string(), name: z.string(), controller: z.boolean().default(false) });

/** Of a Rollout whose pods another object describes. */
const noTemplate = podTemplate.parse({ spec: { containers: [] } });

const templateFields = z.object({
  metadata: z.object({
    name: objectName,
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(owner).default([]),
  }),
  spec: z.object({ template: podTemplate.default(noTemplate) }),
});

/** Characters of an owner's kind and name in messages. Anybody can write an owner reference. */
const longestOwner = 120;

const resources = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
  Rollout: argoResource.plural,
} as const;

/** The calls about workloads. `cluster`: its name in the inventory, for messages. */
export function workloadCalls(
  cluster: string,
  connection: Connection,
): Pick<Cluster, 'listWorkloads' | 'restartWorkload'> {
  return {
    async listWorkloads(namespace, kind, signal) {
      const isOptional = kind === 'Rollout';
      const subject = { cluster, verb: 'list', resource: resources[kind], namespace, isOptional } as const;
      const requestPage: RequestPage = (request, options) => listPage(connection, kind, request, options);
      return listAll({ connection, subject, signal }, requestPage, (item) =>
        kind === 'Rollout' ? parseArgo(item, subject, connection.now()) : parseWorkload(kind, item, subject),
      );
    },

    async restartWorkload(namespace, { kind, name }, change, signal) {
      const subject = { cluster, verb: 'patch', resource: resources[kind], namespace, name } as const;
      if (kind === 'Rollout') {
        const request = { ...argoResource, namespace, name, body: describeArgoPatch(change) };
        const settings = { signal, patch: PatchStrategy.MergePatch };
        const response = await connection.call(subject, settings, (options) =>
          connection.custom.patchNamespacedCustomObject({ ...request, fieldManager: 'certrelay' }, options),
        );
        return parseArgo(response, subject, connection.now());
      }
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
  { apps, custom }: Connection,
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
    case 'Rollout':
      return custom.listNamespacedCustomObject({ ...request, ...argoResource }, options);
  }
}

function patch(
  apps: Apps,
  kind: AppsKind,
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
export function parseWorkload(kind: AppsKind, response: unknown, subject: CallSubject): Workload {
  const fields = parseResponse(rolloutFields, response, subject);
  return {
    kind,
    ...parseCommon(response, subject),
    generation: fields.metadata.generation,
    rollout: judgeRollout(kind, fields),
    updateRevision: fields.status.updateRevision,
    ...countPods(kind, fields),
    hasGapOnRestart: fields.spec.replicas > 0 && fields.spec.strategy?.type === 'Recreate',
  };
}

function parseArgo(response: unknown, subject: CallSubject, now: Date): Workload {
  const fields = parseResponse(argoFields, response, subject);
  return { kind: 'Rollout', ...parseCommon(response, subject), ...judgeArgo(fields, now) };
}

/** What a workload of any kind has. */
function parseCommon(response: unknown, subject: CallSubject) {
  const { metadata, spec } = parseResponse(templateFields, response, subject);
  const templateAnnotations = spec.template.metadata.annotations;
  const controller = metadata.ownerReferences.find((reference) => reference.controller);
  const own = Object.entries(metadata.annotations).filter(([key]) => key.startsWith('certrelay.dev/'));
  return {
    name: metadata.name,
    ...findUses(spec.template),
    annotations: templateAnnotations,
    ownAnnotations: Object.fromEntries(own),
    ...(controller ? { owner: oneLine(`${controller.kind} ${controller.name}`, longestOwner) } : {}),
    ...readRefresh(spec.template),
    rolloutSince: readSince(metadata.annotations[sinceAnnotation]),
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
