// Lists the pods of a namespace that are not over, with what tells when they started and from which template.
import * as z from 'zod';
import type { RunningPod } from '../../policy/kubernetes/pods.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { Connection } from './connection.ts';
import { listAll, objectName, parseResponse, type RequestPage } from './lists.ts';
import { describeOwner } from './owners.ts';

const running = z.object({ startedAt: z.string().optional() });
const containerStatus = z.object({ state: z.object({ running: running.optional() }).default({}) });

const podFields = z.object({
  metadata: z.object({
    name: objectName,
    labels: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(z.unknown()).default([]),
    creationTimestamp: z.string().optional(),
  }),
  spec: z.object({ nodeName: z.string().optional() }).prefault({}),
  status: z
    .object({
      containerStatuses: z.array(containerStatus).default([]),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    })
    .prefault({}),
});

/** Labels with the hash of a pod's template: of a StatefulSet or DaemonSet, of a Deployment's ReplicaSet, and
 *  of a Rollout's. */
const revisionLabels = ['controller-revision-hash', 'pod-template-hash', 'rollouts-pod-template-hash'];

/** The call about pods. `cluster`: its name in the inventory, for messages. */
export function podCalls(cluster: string, connection: Connection): Pick<Cluster, 'listPods'> {
  return {
    async listPods(namespace, signal) {
      const subject = { cluster, verb: 'list', resource: 'pods', namespace } as const;
      const fieldSelector = 'status.phase!=Succeeded,status.phase!=Failed';
      const requestPage: RequestPage = (request, options) =>
        connection.core.listNamespacedPod({ ...request, fieldSelector }, options);
      return listAll({ connection, subject, signal }, requestPage, (item): RunningPod => {
        const { metadata, spec, status } = parseResponse(podFields, item, subject);
        const label = revisionLabels.find((name) => metadata.labels[name] !== undefined);
        return {
          name: metadata.name,
          ...describeOwner(metadata.ownerReferences),
          revision: label && metadata.labels[label],
          createdAt: readInstant(metadata.creationTimestamp),
          isScheduled: spec.nodeName !== undefined && spec.nodeName !== '',
          isReady: status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
          starts: status.containerStatuses
            .map(({ state }) => readInstant(state.running?.startedAt))
            .filter((start) => start !== undefined),
        };
      });
    },
  };
}

function readInstant(text: string | undefined): Date | undefined {
  const instant = new Date(text ?? '');
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}
