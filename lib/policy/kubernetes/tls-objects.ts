// Ingresses, Gateways and Services that use TLS, as plain facts.

/** Kinds of objects that discovery reads. */
export const tlsObjectKinds = ['Ingress', 'Gateway', 'Service'] as const;
/** One of `tlsObjectKinds`. */
export type TlsObjectKind = (typeof tlsObjectKinds)[number];

/** An Ingress, Gateway or Service as it was read. */
export interface TlsObject {
  readonly kind: TlsObjectKind;
  readonly namespace: string;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Ingress class or Gateway class; absent if the object names none. */
  readonly className?: string | undefined;
  /** The Secrets that it names, with their hosts; empty for a Service. */
  readonly tls: readonly TlsUse[];
}

/** A Secret of an object, and the hosts that are served with it. */
export interface TlsUse {
  readonly hosts: readonly string[];
  /** Absent if the entry names no Secret. */
  readonly secret?: string | undefined;
  /** Namespace of the Secret; absent: the object's own. */
  readonly namespace?: string | undefined;
}

/** How reports name an object: `Ingress shop/web in cluster lab`. */
export function nameObject(cluster: string, { kind, namespace, name }: Omit<TlsObject, 'tls'>): string {
  return `${kind} ${namespace}/${name} in cluster ${cluster}`;
}
