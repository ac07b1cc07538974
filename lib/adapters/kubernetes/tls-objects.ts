// Lists the objects of a cluster that use TLS: Ingresses, Gateways and Services. It never writes.
import * as z from 'zod';
import type { TlsObject, TlsObjectKind, TlsUse } from '../../policy/kubernetes/tls-objects.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { Connection } from './connection.ts';
import type { CallSubject } from './failure.ts';
import { listParsed, objectName } from './lists.ts';

const map = z.record(z.string(), z.string()).default({});
const metadata = z.object({ name: objectName, namespace: objectName, annotations: map });
const strings = z.array(z.string()).nullish();

const ingress = z.object({
  metadata,
  spec: z
    .object({
      ingressClassName: z.string().optional(),
      tls: z.array(z.object({ hosts: strings, secretName: z.string().optional() })).nullish(),
    })
    .default({}),
});

const reference = z.object({
  group: z.string().default(''),
  kind: z.string().default('Secret'),
  name: z.string(),
  namespace: z.string().optional(),
});

const gateway = z.object({
  metadata,
  spec: z.object({
    gatewayClassName: z.string(),
    listeners: z.array(
      z.object({
        hostname: z.string().optional(),
        tls: z
          .object({ mode: z.string().default('Terminate'), certificateRefs: z.array(reference).default([]) })
          .optional(),
      }),
    ),
  }),
});

const service = z.object({ metadata });

const gatewayGroup = 'gateway.networking.k8s.io';

const referenceGrant = z.object({
  spec: z.object({
    from: z.array(z.object({ group: z.string(), kind: z.string(), namespace: z.string() })),
    to: z.array(z.object({ group: z.string(), kind: z.string() })),
  }),
});

/** The annotation with an Ingress's class, from before Kubernetes had a field for it. */
const classAnnotation = 'kubernetes.io/ingress.class';

/** The calls about TLS objects. `cluster`: its name in the inventory, for messages. */
export function tlsObjectCalls(
  cluster: string,
  connection: Connection,
): Pick<Cluster, 'listTlsObjects' | 'listGatewayNamespaces'> {
  const { core, custom } = connection;
  const listCustom = async <T, R>(
    [group, version, plural]: readonly [group: string, version: string, plural: string],
    item: readonly [item: z.ZodType<T>, reduce: (item: T) => R],
    namespace: string,
    signal: AbortSignal,
  ): Promise<readonly R[]> => {
    // A cluster has Gateways and ReferenceGrants only if their definitions (CRDs) are installed.
    const isOptional = group === gatewayGroup;
    const subject = { cluster, verb: 'list', resource: plural, namespace, isOptional } as const;
    const objects = await listParsed({ connection, subject, signal }, item, (request, options) =>
      custom.listNamespacedCustomObject({ group, version, plural, ...request }, options),
    );
    return objects ?? [];
  };
  const list = async (kind: TlsObjectKind, namespace: string, signal: AbortSignal) => {
    switch (kind) {
      case 'Ingress': {
        const resource = ['networking.k8s.io', 'v1', 'ingresses'] as const;
        return listCustom(resource, [ingress, readIngress], namespace, signal);
      }
      case 'Gateway': {
        const resource = [gatewayGroup, 'v1', 'gateways'] as const;
        return listCustom(resource, [gateway, readGateway], namespace, signal);
      }
      case 'Service': {
        const subject: CallSubject = { cluster, verb: 'list', resource: 'services', namespace };
        const item = [service, readService] as const;
        const services = await listParsed({ connection, subject, signal }, item, (request, options) =>
          core.listNamespacedService(request, options),
        );
        return services ?? [];
      }
    }
  };
  return {
    async listTlsObjects(namespace, kinds, signal) {
      return (await Promise.all(kinds.map((kind) => list(kind, namespace, signal)))).flat();
    },

    async listGatewayNamespaces(namespace, signal) {
      const resource = [gatewayGroup, 'v1beta1', 'referencegrants'] as const;
      const sources = await listCustom(resource, [referenceGrant, readSources], namespace, signal);
      return [...new Set(sources.flat())].filter((source) => source !== namespace);
    },
  };
}

/** The namespaces whose Gateways a ReferenceGrant lets use Secrets. */
function readSources({ spec }: z.infer<typeof referenceGrant>): readonly string[] {
  if (!spec.to.some(({ group, kind }) => group === '' && kind === 'Secret')) return [];
  return spec.from
    .filter((from) => from.group === gatewayGroup && from.kind === 'Gateway')
    .map((from) => from.namespace);
}

function readIngress({ metadata: own, spec }: z.infer<typeof ingress>): TlsObject {
  const uses = (spec.tls ?? []).map(
    ({ hosts, secretName }): TlsUse => ({ hosts: hosts ?? [], secret: secretName }),
  );
  const className = own.annotations[classAnnotation] ?? spec.ingressClassName;
  return { kind: 'Ingress', ...own, className, tls: uses };
}

/** A Gateway and the Secrets of its listeners. A listener that passes TLS through has no certificate, and
 *  references to other kinds than Secrets are left out. */
function readGateway({ metadata: own, spec }: z.infer<typeof gateway>): TlsObject {
  const uses = spec.listeners.flatMap(({ hostname, tls }) =>
    (tls?.mode === 'Terminate' ? tls.certificateRefs : [])
      .filter(({ group, kind }) => group === '' && kind === 'Secret')
      .map(({ name, namespace }): TlsUse => {
        return {
          hosts: hostname === undefined || hostname === '' ? [] : [hostname],
          secret: name,
          namespace,
        };
      }),
  );
  return { kind: 'Gateway', ...own, className: spec.gatewayClassName, tls: uses };
}

function readService({ metadata: own }: z.infer<typeof service>): TlsObject {
  return { kind: 'Service', ...own, tls: [] };
}
