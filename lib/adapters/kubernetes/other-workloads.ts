// Lists objects that may use a Secret but are not restarted by Certrelay: reports only name them.
import * as z from 'zod';
import type { OtherKind, OtherUser } from '../../policy/kubernetes/objects.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { CallOptions, Connection } from './connection.ts';
import { listAll, objectName, type PageRequest, parseResponse, type RequestPage } from './lists.ts';
import { describeOwner } from './owners.ts';
import { findUses, podTemplate } from './secret-uses.ts';

const resources: Readonly<Record<OtherKind, string>> = {
  ReplicationController: 'replicationcontrollers',
  ReplicaSet: 'replicasets',
  CronJob: 'cronjobs',
  Job: 'jobs',
  Pod: 'pods',
};

const ownership = z.object({
  metadata: z.object({ name: objectName, ownerReferences: z.array(z.unknown()).default([]) }),
});
const podFields = z.object({
  spec: podTemplate.shape.spec,
  status: z.object({ phase: z.string().optional() }).default({}),
});
const templated = z.object({ spec: z.object({ template: podTemplate.optional() }) });
const job = z.object({
  spec: z.object({ template: podTemplate }),
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) })
    .default({ conditions: [] }),
});
const scheduled = z.object({ spec: z.object({ jobTemplate: templated }) });

/** The calls about workloads of other kinds. `cluster`: its name in the inventory, for messages. */
export function otherWorkloadCalls(cluster: string, connection: Connection): Pick<Cluster, 'listOthers'> {
  return {
    async listOthers(namespace, kind, signal) {
      const subject = { cluster, verb: 'list', resource: resources[kind], namespace } as const;
      const seen = new Set<string>();
      const requestPage: RequestPage = (request, options) => {
        // A list that has expired begins again.
        if (request._continue === undefined) seen.clear();
        return listPage(connection, kind, request, options);
      };
      return listAll({ connection, subject, signal }, requestPage, (item): OtherUser | undefined => {
        const { name, ownerReferences } = parseResponse(ownership, item, subject).metadata;
        const template = readTemplate(kind, (schema) => parseResponse(schema, item, subject));
        if (!template) return undefined;
        const user: OtherUser = { kind, name, ...describeOwner(ownerReferences), ...findUses(template) };
        return kind === 'Pod' && isDispensable(user, seen) ? undefined : user;
      });
    },
  };
}

/** Whether a pod names no Secret, or is like one before it. A namespace may have thousands of pods. */
function isDispensable({ owner, secrets, fixed, mentioned }: OtherUser, seen: Set<string>): boolean {
  if (secrets.length === 0 && !mentioned) return true;
  if (!owner) return false;
  const key = JSON.stringify([owner, secrets, fixed, mentioned]);
  if (seen.has(key)) return true;
  seen.add(key);
  return false;
}

function listPage(
  { core, apps, batch }: Connection,
  kind: OtherKind,
  request: PageRequest,
  options: CallOptions,
): Promise<unknown> {
  switch (kind) {
    case 'ReplicationController':
      return core.listNamespacedReplicationController(request, options);
    case 'ReplicaSet':
      return apps.listNamespacedReplicaSet(request, options);
    case 'CronJob':
      return batch.listNamespacedCronJob(request, options);
    case 'Job':
      return batch.listNamespacedJob(request, options);
    case 'Pod': {
      const fieldSelector = 'status.phase!=Succeeded,status.phase!=Failed';
      return core.listNamespacedPod({ ...request, fieldSelector }, options);
    }
  }
}

/** The pod template of an object. `undefined` for a pod or Job that is over, and for an object whose template
 *  is in another object. */
function readTemplate(
  kind: OtherKind,
  parse: <T>(schema: z.ZodType<T>) => T,
): z.infer<typeof podTemplate> | undefined {
  switch (kind) {
    case 'Pod': {
      const { spec, status } = parse(podFields);
      const isOver = status.phase === 'Succeeded' || status.phase === 'Failed';
      return isOver ? undefined : { metadata: { annotations: {} }, spec };
    }
    case 'CronJob':
      return parse(scheduled).spec.jobTemplate.spec.template;
    case 'Job': {
      const { spec, status } = parse(job);
      const isOver = status.conditions.some(
        ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
      );
      return isOver ? undefined : spec.template;
    }
    case 'ReplicationController':
    case 'ReplicaSet':
      return parse(templated).spec.template;
  }
}
