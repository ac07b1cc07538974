// Reads the fields of objects that use TLS: Ingresses, Gateways, ListenerSets, ReferenceGrants and Services.
import * as z from 'zod';
import type { GrantedSource, TlsObject, TlsUse } from '../../policy/kubernetes/tls-objects.ts';
import { objectName } from './lists.ts';

/** The API group of the Gateway API. */
export const gatewayGroup = 'gateway.networking.k8s.io';

const map = z.record(z.string(), z.string()).default({});
const metadata = z.object({ name: objectName, namespace: objectName, annotations: map });
const strings = z.array(z.string()).nullish();

/** Schema of an Ingress. */
export const ingress = z.object({
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
type Reference = z.infer<typeof reference>;

const listener = z.object({
  hostname: z.string().optional(),
  tls: z
    .object({ mode: z.string().default('Terminate'), certificateRefs: z.array(reference).default([]) })
    .optional(),
});

/** How clients of a Gateway prove who they are. */
const frontend = z.object({
  validation: z.object({ caCertificateRefs: z.array(reference).default([]) }).optional(),
});

/** Schema of a Gateway. */
export const gateway = z.object({
  metadata,
  spec: z.object({
    gatewayClassName: z.string(),
    listeners: z.array(listener).default([]),
    tls: z
      .object({
        backend: z.object({ clientCertificateRef: reference.optional() }).optional(),
        frontend: z
          .object({
            default: frontend.optional(),
            perPort: z.array(z.object({ tls: frontend.optional() })).default([]),
          })
          .optional(),
      })
      .default({}),
  }),
});

/** Schema of a ListenerSet. */
export const listenerSet = z.object({
  metadata,
  spec: z.object({
    parentRef: z.object({
      group: z.string().default(gatewayGroup),
      kind: z.string().default('Gateway'),
      name: objectName,
      namespace: objectName.optional(),
    }),
    listeners: z.array(listener).default([]),
  }),
});

/** Schema of a Service. */
export const service = z.object({ metadata });

/** Schema of a ReferenceGrant. */
export const referenceGrant = z.object({
  spec: z.object({
    from: z.array(z.object({ group: z.string(), kind: z.string(), namespace: z.string() })),
    to: z.array(z.object({ group: z.string(), kind: z.string() })),
  }),
});

/** The kinds and namespaces that a ReferenceGrant lets use Secrets. A grant for Gateways is none for their
 *  ListenerSets, and the other way round. */
export function readSources({ spec }: z.infer<typeof referenceGrant>): readonly GrantedSource[] {
  if (!spec.to.some(({ group, kind }) => group === '' && kind === 'Secret')) return [];
  return spec.from.flatMap(({ group, kind, namespace }) =>
    group === gatewayGroup && (kind === 'Gateway' || kind === 'ListenerSet') ? [{ kind, namespace }] : [],
  );
}

/** The annotation with an Ingress's class, from before Kubernetes had a field for it. */
const classAnnotation = 'kubernetes.io/ingress.class';

/** An Ingress and the Secrets of its `spec.tls`. */
export function readIngress({ metadata: own, spec }: z.infer<typeof ingress>): TlsObject {
  const uses = (spec.tls ?? []).map(
    ({ hosts, secretName }): TlsUse => ({ hosts: hosts ?? [], secret: secretName }),
  );
  const className = own.annotations[classAnnotation] ?? spec.ingressClassName;
  return { kind: 'Ingress', ...own, className, tls: uses };
}

/** A Gateway, the Secrets of its listeners, and others that it names. */
export function readGateway({ metadata: own, spec }: z.infer<typeof gateway>): TlsObject {
  const { backend, frontend: clients } = spec.tls;
  const authorities = [clients?.default, ...(clients?.perPort ?? []).map(({ tls }) => tls)].flatMap(
    (one) => one?.validation?.caCertificateRefs ?? [],
  );
  const certificate = backend?.clientCertificateRef;
  const otherSecrets = readSecrets([...authorities, ...(certificate ? [certificate] : [])]);
  return {
    kind: 'Gateway',
    ...own,
    className: spec.gatewayClassName,
    tls: readListeners(spec.listeners),
    ...(otherSecrets.length > 0 ? { otherSecrets } : {}),
  };
}

/** A ListenerSet, its Gateway and the Secrets of its listeners. */
export function readListenerSet({ metadata: own, spec }: z.infer<typeof listenerSet>): TlsObject {
  const { group, kind, name, namespace = own.namespace } = spec.parentRef;
  const isGateway = group === gatewayGroup && kind === 'Gateway';
  return {
    kind: 'ListenerSet',
    ...own,
    tls: readListeners(spec.listeners),
    ...(isGateway ? { parent: { namespace, name } } : {}),
  };
}

/** The Secrets of listeners. One that passes TLS through has no certificate, and references to other kinds
 *  than Secrets are left out. */
function readListeners(listeners: readonly z.infer<typeof listener>[]): readonly TlsUse[] {
  return listeners.flatMap(({ hostname, tls }) => {
    const hosts = hostname === undefined || hostname === '' ? [] : [hostname];
    const secrets = readSecrets(tls?.mode === 'Terminate' ? tls.certificateRefs : []);
    return secrets.map((secret): TlsUse => ({ hosts, ...secret }));
  });
}

function readSecrets(references: readonly Reference[]): readonly Omit<TlsUse, 'hosts'>[] {
  return references
    .filter(({ group, kind }) => group === '' && kind === 'Secret')
    .map(({ name, namespace }) => ({ secret: name, namespace }));
}

/** A Service, which has no TLS fields. */
export function readService({ metadata: own }: z.infer<typeof service>): TlsObject {
  return { kind: 'Service', ...own, tls: [] };
}
