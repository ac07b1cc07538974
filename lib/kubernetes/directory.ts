// The objects of a cluster that use certificates, over its API: read, and never written.
import * as z from 'zod';
import type { Directory } from '../cluster-ports.ts';
import type { TlsObject, TlsUse } from '../policy/tls-objects.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { formerToolCalls } from './former-tools.ts';
import { listParsed } from './lists.ts';

const map = z.record(z.string(), z.string()).default({});
const metadata = z.object({ name: z.string(), namespace: z.string(), annotations: map });
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

/** Before Kubernetes had a field for it, an Ingress named its class by this. */
const classAnnotation = 'kubernetes.io/ingress.class';

/** The directory of the cluster that `access` leads to. Nothing is asked of it yet: the first call connects. `name` is the
 *  inventory's, for messages. */
export function connectDirectory({
  name,
  ...options
}: ConnectionOptions & { readonly name: string }): Directory {
  const connection = new Connection(options);
  const { core, custom } = connection;
  const list = async <T>(
    group: string,
    resource: string,
    item: z.ZodType<T>,
    namespace: string,
    signal: AbortSignal,
  ) => {
    // Without their definition a cluster does not know Gateways.
    const isOptional = resource === 'gateways';
    const subject = { cluster: name, verb: 'list', resource, namespace, isOptional } as const;
    const found = await listParsed(connection, subject, item, signal, (request, options) =>
      group === ''
        ? core.listNamespacedService(request, options)
        : custom.listNamespacedCustomObject({ group, version: 'v1', plural: resource, ...request }, options),
    );
    return found ?? [];
  };
  return {
    async listTlsObjects(namespace, signal) {
      const [ingresses, gateways, services] = await Promise.all([
        list('networking.k8s.io', 'ingresses', ingress, namespace, signal),
        list('gateway.networking.k8s.io', 'gateways', gateway, namespace, signal),
        list('', 'services', service, namespace, signal),
      ]);
      return [...ingresses.map(readIngress), ...gateways.map(readGateway), ...services.map(readService)];
    },
    ...formerToolCalls(name, connection),
    close: () => connection.close(),
  };
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
