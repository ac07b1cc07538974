// Lists the objects of a cluster that use TLS: Ingresses, Gateways, ListenerSets and Services. It never
// writes.
import * as z from 'zod';
import type { GrantedSource, TlsObject, TlsObjectKind } from '../../policy/kubernetes/tls-objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import type { Connection } from './connection.ts';
import type { CallSubject } from './failure.ts';
import { listParsed, parseResponse } from './lists.ts';
import {
  gateway,
  gatewayGroup,
  ingress,
  listenerSet,
  readGateway,
  readIngress,
  readListenerSet,
  readService,
  readSources,
  referenceGrant,
  service,
} from './tls-fields.ts';

/** Group, version and plural of a kind that the client has no call for. */
type CustomResource = readonly [group: string, version: string, plural: string];

const resources = {
  Ingress: ['networking.k8s.io', 'v1', 'ingresses'],
  Gateway: [gatewayGroup, 'v1', 'gateways'],
  ListenerSet: [gatewayGroup, 'v1', 'listenersets'],
} as const satisfies Partial<Record<TlsObjectKind, CustomResource>>;

/** ReferenceGrants, as old and as new clusters have them. */
const grants = [
  [gatewayGroup, 'v1beta1', 'referencegrants'],
  [gatewayGroup, 'v1', 'referencegrants'],
] as const;

const servedResources = z.object({ resources: z.array(z.object({ name: z.string() })).default([]) });

/** The calls about TLS objects. `cluster`: its name in the inventory, for messages. */
export function tlsObjectCalls(
  cluster: string,
  connection: Connection,
): Pick<Cluster, 'listTlsObjects' | 'listGrantedSources'> {
  const { core, custom } = connection;

  /** `undefined` if the cluster does not have the kind: its definition (CRD) is not installed. */
  const listCustom = async <T, R>(
    resource: CustomResource,
    item: readonly [item: z.ZodType<T>, reduce: (item: T) => R],
    namespace: string,
    signal: AbortSignal,
  ): Promise<readonly R[] | undefined> => {
    const [group, version, plural] = resource;
    const isOptional = group === gatewayGroup;
    const subject = { cluster, verb: 'list', resource: plural, namespace, isOptional } as const;
    try {
      return await listParsed({ connection, subject, signal }, item, (request, options) =>
        custom.listNamespacedCustomObject({ group, version, plural, ...request }, options),
      );
    } catch (error) {
      const isForbidden = error instanceof ClusterError && error.code === 'Forbidden';
      if (isOptional && isForbidden && !(await isServed(resource, subject, signal))) return undefined;
      throw error;
    }
  };

  /** Whether the cluster has the kind. Asked only if the kind may not be listed: an API server refuses that
   *  before it looks whether there is such a kind. True if this cannot be found out either. */
  const isServed = async (
    [group, version, plural]: CustomResource,
    list: CallSubject,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const subject: CallSubject = { ...list, verb: 'get', resource: `the kinds of ${group}/${version}` };
    try {
      const response = await connection.call(subject, { signal }, (options) =>
        custom.getAPIResources({ group, version }, options),
      );
      return parseResponse(servedResources, response, subject).resources.some(({ name }) => name === plural);
    } catch (error) {
      signal.throwIfAborted();
      return !(error instanceof ClusterError && error.code === 'NotFound');
    }
  };

  const list = async (kind: TlsObjectKind, namespace: string, signal: AbortSignal) => {
    switch (kind) {
      case 'Ingress':
        return listCustom(resources[kind], [ingress, readIngress], namespace, signal);
      case 'Gateway':
        return listCustom(resources[kind], [gateway, readGateway], namespace, signal);
      case 'ListenerSet':
        return listCustom(resources[kind], [listenerSet, readListenerSet], namespace, signal);
      case 'Service': {
        const subject: CallSubject = { cluster, verb: 'list', resource: 'services', namespace };
        const item = [service, readService] as const;
        return listParsed({ connection, subject, signal }, item, (request, options) =>
          core.listNamespacedService(request, options),
        );
      }
    }
  };
  return {
    async listTlsObjects(namespace, kinds, signal) {
      const lists = await Promise.all(kinds.map((kind) => list(kind, namespace, signal)));
      return lists.flatMap((objects): readonly TlsObject[] => objects ?? []);
    },

    async listGrantedSources(namespace, signal) {
      for (const resource of grants) {
        const found = await listCustom(resource, [referenceGrant, readSources], namespace, signal);
        if (found) return distinct(found.flat()).filter((source) => source.namespace !== namespace);
      }
      return [];
    },
  };
}

function distinct(sources: readonly GrantedSource[]): readonly GrantedSource[] {
  return [...new Map(sources.map((source) => [`${source.kind}/${source.namespace}`, source])).values()];
}
