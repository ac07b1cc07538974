// Ingresses, Gateways, ListenerSets and Services that use TLS, as plain facts.

/** Kinds of objects that discovery reads. */
export const tlsObjectKinds = ['Ingress', 'Gateway', 'ListenerSet', 'Service'] as const;
/** One of `tlsObjectKinds`. */
export type TlsObjectKind = (typeof tlsObjectKinds)[number];

/** An Ingress, Gateway, ListenerSet or Service as it was read. */
export interface TlsObject {
  readonly kind: TlsObjectKind;
  readonly namespace: string;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Ingress class or Gateway class; absent if the object names none. A ListenerSet has that of its
   *  Gateway; see `inheritClasses`. */
  readonly className?: string | undefined;
  /** The Secrets that it serves certificates from, with their hosts; empty for a Service. */
  readonly tls: readonly TlsUse[];
  /** Secrets that a Gateway names for something else: its certificate as a client, authorities. Absent:
   *  none. */
  readonly otherSecrets?: readonly Omit<TlsUse, 'hosts'>[];
  /** The Gateway that a ListenerSet adds listeners to. Absent for other kinds. */
  readonly parent?: Pick<TlsObject, 'namespace' | 'name'>;
}

/** A Secret of an object, and the hosts that are served with it. */
export interface TlsUse {
  readonly hosts: readonly string[];
  /** Absent if the entry names no Secret. */
  readonly secret?: string | undefined;
  /** Namespace of the Secret; absent: the object's own. */
  readonly namespace?: string | undefined;
}

/** Kinds that may use Secrets of another namespace, if a ReferenceGrant there allows it. */
export type GrantedKind = Extract<TlsObjectKind, 'Gateway' | 'ListenerSet'>;

/** Objects of one kind in another namespace that a ReferenceGrant lets use Secrets. */
export interface GrantedSource {
  readonly kind: GrantedKind;
  readonly namespace: string;
}

/** How reports name an object: `Ingress shop/web in cluster lab`. */
export function nameObject(
  cluster: string,
  { kind, namespace, name }: Pick<TlsObject, 'kind' | 'namespace' | 'name'>,
): string {
  return `${kind} ${namespace}/${name} in cluster ${cluster}`;
}

/** Whether the object names the Secret for anything: in its TLS fields, or by an annotation about a Secret,
 *  as controllers have them for client certificates (`nginx.ingress.kubernetes.io/auth-tls-secret`). */
export function namesSecret(object: TlsObject, namespace: string, secret: string): boolean {
  const isOwn = object.namespace === namespace;
  const annotated = Object.entries(object.annotations).filter(([name]) => /secret/i.test(name));
  return (
    [...object.tls, ...(object.otherSecrets ?? [])].some(
      (use) => use.secret === secret && (use.namespace ?? object.namespace) === namespace,
    ) || annotated.some(([, value]) => value === `${namespace}/${secret}` || (isOwn && value === secret))
  );
}

/** The objects, each ListenerSet with the class of its Gateway if that is one of them. */
export function inheritClasses(objects: readonly TlsObject[]): readonly TlsObject[] {
  const keyOf = ({ namespace, name }: Pick<TlsObject, 'namespace' | 'name'>) => `${namespace}/${name}`;
  const gateways = objects.filter(({ kind }) => kind === 'Gateway');
  const classes = new Map(gateways.map((gateway) => [keyOf(gateway), gateway.className]));
  return objects.map((object) =>
    object.parent ? { ...object, className: classes.get(keyOf(object.parent)) } : object,
  );
}
