// What Certrelay knows of the objects in a cluster that use TLS: facts, as their owners wrote them.

/** Kinds of them that Certrelay looks at. */
export const tlsObjectKinds = ['Ingress', 'Gateway', 'Service'] as const;
export type TlsObjectKind = (typeof tlsObjectKinds)[number];

/** One of them as it was read. */
export interface TlsObject {
  readonly kind: TlsObjectKind;
  readonly namespace: string;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Class that says which controller serves it; absent: it names none. */
  readonly className?: string | undefined;
  /** Where it takes certificates from. A Service has no field for it. */
  readonly tls: readonly TlsUse[];
}

/** Names and the Secret whose certificate is served under them. */
export interface TlsUse {
  readonly hosts: readonly string[];
  /** Absent: the object names none. */
  readonly secret?: string | undefined;
  /** Of the Secret; absent: the object's own. */
  readonly namespace?: string | undefined;
}

/** `Ingress shop/web in cluster lab`, as reports name an object. */
export function nameObject(cluster: string, { kind, namespace, name }: Omit<TlsObject, 'tls'>): string {
  return `${kind} ${namespace}/${name} in cluster ${cluster}`;
}
