// Lists objects that may use a Secret but are not restarted by Certrelay: reports only name them.
import * as z from 'zod';
import type { OtherKind, OtherUser } from '../../policy/kubernetes/objects.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { CallOptions, Connection } from './connection.ts';
import { listAll, objectName, type PageRequest, parseResponse, type RequestPage } from './lists.ts';
import { findUses, podTemplate } from './secret-uses.ts';

const resources: Readonly<Record<OtherKind, string>> = {
  ReplicationController: 'replicationcontrollers',
  ReplicaSet: 'replicasets',
  CronJob: 'cronjobs',
  Pod: 'pods',
  Rollout: 'rollouts',
};

const ownership = z.object({
  metadata: z.object({ name: objectName, ownerReferences: z.array(z.unknown()).default([]) }),
});
const podFields = z.object({
  spec: podTemplate.shape.spec,
  status: z.object({ phase: z.string().optional() }).default({}),
});
const templated = z.object({ spec: z.object({ template: podTemplate.optional() }) });
const scheduled = z.object({ spec: z.object({ jobTemplate: templated }) });

/** The calls about workloads of other kinds. Objects that another object owns are left out. `cluster`: its
 *  name in the inventory, for messages. */
export function otherWorkloadCalls(cluster: string, connection: Connection): Pick<Cluster, 'listOthers'> {
  return {
    async listOthers(namespace, kind, signal) {
      const isOptional = kind === 'Rollout';
      const subject = { cluster, verb: 'list', resource: resources[kind], namespace, isOptional } as const;
      const requestPage: RequestPage = (request, options) => listPage(connection, kind, request, options);
      return listAll({ connection, subject, signal }, requestPage, (item): OtherUser | undefined => {
        const { name, ownerReferences } = parseResponse(ownership, item, subject).metadata;
        if (ownerReferences.length > 0) return undefined;
        const template = readTemplate(kind, (schema) => parseResponse(schema, item, subject));
        return template && { kind, name, ...findUses(template) };
      });
    },
  };
}

function listPage(
  { core, apps, batch, custom }: Connection,
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
    case 'Pod':
      return core.listNamespacedPod(request, options);
    case 'Rollout': {
      const kindOfArgo = { group: 'argoproj.io', version: 'v1alpha1', plural: resources.Rollout };
      return custom.listNamespacedCustomObject({ ...request, ...kindOfArgo }, options);
    }
  }
}

/** The pod template of an object. `undefined` for a pod that has ended, and for an object whose template is
 *  in another object. */
function readTemplate(
  kind: OtherKind,
  parse: <T>(schema: z.ZodType<T>) => T,
): z.infer<typeof podTemplate> | undefined {
  switch (kind) {
    case 'Pod': {
      const { spec, status } = parse(podFields);
      const hasEnded = status.phase === 'Succeeded' || status.phase === 'Failed';
      return hasEnded ? undefined : { metadata: { annotations: {} }, spec };
    }
    case 'CronJob':
      return parse(scheduled).spec.jobTemplate.spec.template;
    case 'ReplicationController':
    case 'ReplicaSet':
    case 'Rollout':
      return parse(templated).spec.template;
  }
}
