// The objects of a cluster that use TLS, over its API: read, and never written.
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

/** Before Kubernetes had a field for it, an Ingress named its class by this. */
const classAnnotation = 'kubernetes.io/ingress.class';

/** The calls about them, over the cluster's connection; `cluster` is the inventory's name for it, for messages. */
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
    // Without their definitions a cluster does not know Gateways and what belongs to them.
    const isOptional = group === gatewayGroup;
    const subject = { cluster, verb: 'list', resource: plural, namespace, isOptional } as const;
    const found = await listParsed({ connection, subject, signal }, item, (request, options) =>
      custom.listNamespacedCustomObject({ group, version, plural, ...request }, options),
    );
    return found ?? [];
  };
  const list = async (kind: TlsObjectKind, namespace: string, signal: AbortSignal) => {
    switch (kind) {
      case 'Ingress': {
        const place = ['networking.k8s.io', 'v1', 'ingresses'] as const;
        return listCustom(place, [ingress, readIngress], namespace, signal);
      }
      case 'Gateway': {
        const place = [gatewayGroup, 'v1', 'gateways'] as const;
        return listCustom(place, [gateway, readGateway], namespace, signal);
      }
      case 'Service': {
        const subject: CallSubject = { cluster, verb: 'list', resource: 'services', namespace };
        const item = [service, readService] as const;
        const found = await listParsed({ connection, subject, signal }, item, (request, options) =>
          core.listNamespacedService(request, options),
        );
        return found ?? [];
      }
    }
  };
  return {
    async listTlsObjects(namespace, kinds, signal) {
      return (await Promise.all(kinds.map((kind) => list(kind, namespace, signal)))).flat();
    },

    async listGatewayNamespaces(namespace, signal) {
      const place = [gatewayGroup, 'v1beta1', 'referencegrants'] as const;
      const sources = await listCustom(place, [referenceGrant, readSources], namespace, signal);
      return [...new Set(sources.flat())].filter((one) => one !== namespace);
    },
  };
}

/** The namespaces whose Gateways may take Secrets by it. */
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

/** A listener that passes TLS through has no certificate, and one may take its own from something else than Secrets. */
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
