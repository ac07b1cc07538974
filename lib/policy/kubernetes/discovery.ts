// Decides which Ingresses, Gateways, ListenerSets and Services ask for a certificate, for which Secret and
// names.

import { sameNames } from '../../certificate/names.ts';
import type { DiscoverySpec } from '../../certificate/spec.ts';
import type { RequestedSecret } from '../../inventory/discovery.ts';
import { cutText, listSome, nameSome } from '../bounds.ts';
import { nameObject, type TlsObject, type TlsUse } from './tls-objects.ts';

/** The result for one object: the Secrets it asks for, and remarks. Both are empty if it does not ask. */
export interface DiscoveredObject {
  /** `Ingress shop/web in cluster lab`. */
  readonly object: string;
  readonly secrets: readonly RequestedSecret[];
  /** One sentence for each request of the object that is not followed, with what to do. */
  readonly remarks: readonly string[];
  /** Set if the object asks for more Secrets than are read of one object; also in `remarks`. */
  readonly excess?: string | undefined;
}

/** One requested Secret, and the objects that ask for it (20 at most, then their number). */
export interface SecretRequest {
  readonly secret: RequestedSecret;
  readonly objects: readonly string[];
  /** Set if the objects ask for different names: the request is not followed. Says which, and what to do. */
  readonly disagreement?: string | undefined;
}

/** Annotations of a Service, which has no TLS fields: its domains, separated by spaces, and the Secret. */
export const serviceAnnotations = {
  domains: 'certrelay.dev/domains',
  secret: 'certrelay.dev/secret',
} as const;

/** Limits per object, because anybody who may write an object decides how much is in it. */
const mostSecrets = 100;
const mostRemarks = 10;
const mostObjects = 20;
const longestName = 253;

/** Annotations of other tools, and whether a value asks that tool for a certificate. */
const hints: Readonly<Record<string, (value: string) => boolean>> = {
  'kubernetes.io/tls-acme': (value) => value === 'true',
  'cert-manager.io/issuer': (value) => value !== '',
  'cert-manager.io/cluster-issuer': (value) => value !== '',
};

/** What one object asks for. It asks by the annotation of `discovery`, or with `discovery.hints` by one of
 *  another tool. An object that does not ask is returned without Secrets and remarks. */
export function judgeObject(cluster: string, object: TlsObject, discovery: DiscoverySpec): DiscoveredObject {
  const named = nameObject(cluster, object);
  const nothing = (...remarks: readonly string[]): DiscoveredObject => ({
    object: named,
    secrets: [],
    remarks,
  });
  const hint = Object.keys(hints).find((name) => hints[name]?.(object.annotations[name] ?? ''));
  const isAsking = object.annotations[discovery.annotation] === 'true';
  if (!isAsking && hint === undefined) return nothing();
  if (!isAsking && !discovery.hints) {
    return nothing(
      `it asks another tool, by ${hint}: set ${discovery.annotation}: "true" instead, or set hints: true in the inventory once that tool is gone`,
    );
  }
  const foreign = findForeignClass(object, discovery);
  if (foreign !== undefined) return nothing(foreign);
  const uses = usesOf(object);
  if (uses.length === 0) return nothing(explainNoUse(object));
  const restart = object.kind === 'Service' ? 'auto' : 'none';
  const found = uses
    .slice(0, mostSecrets)
    .map(({ hosts, secret, namespace = object.namespace }): RequestedSecret | string => {
      if (!secret) return `it names no Secret for ${nameSome(hosts, 5) || 'its TLS'}`;
      if (secret.length > longestName)
        return `its Secret has a name of ${secret.length} characters: use at most ${longestName}`;
      // Who may write here may not be allowed to write there, and ReferenceGrants are not read.
      if (namespace !== object.namespace) {
        return `Secret ${namespace}/${secret} is in another namespace: let an object there ask for it, or add it to the inventory`;
      }
      if (hosts.length === 0)
        return `it names no host for Secret ${secret}: add the names that the certificate must have`;
      return { cluster, namespace, secret, domains: [...new Set(hosts)], restart };
    });
  const remarks = found.filter((result) => typeof result === 'string');
  const excess =
    uses.length > mostSecrets
      ? `it names ${uses.length} Secrets, and only the first ${mostSecrets} are read: split it into several objects`
      : undefined;
  return {
    object: named,
    secrets: found.filter((result) => typeof result !== 'string'),
    remarks: [...listSome(remarks, mostRemarks), ...(excess ? [excess] : [])],
    excess,
  };
}

/** One request for each Secret. Objects that ask for the same names share it. If they ask for different
 *  names, `disagreement` is set, because it is unknown which are right. */
export function mergeRequests(discovered: readonly DiscoveredObject[]): readonly SecretRequest[] {
  const bySecret = new Map<string, { readonly object: string; readonly secret: RequestedSecret }[]>();
  for (const { object, secrets } of discovered) {
    for (const secret of secrets) {
      const key = `${secret.cluster}/${secret.namespace}/${secret.secret}`;
      const asking = bySecret.get(key) ?? [];
      asking.push({ object, secret });
      bySecret.set(key, asking);
    }
  }
  return [...bySecret].flatMap(([key, asking]) => {
    const [first] = asking;
    if (first === undefined) return [];
    const isSame = asking.every(({ secret }) => sameNames(secret.domains, first.secret.domains));
    const requests = asking.map(({ object, secret }) => `${object} for ${nameSome(secret.domains, 10)}`);
    const restart = asking.some(({ secret }) => secret.restart === 'auto') ? 'auto' : 'none';
    return {
      secret: { ...first.secret, restart },
      objects: listSome([...new Set(asking.map(({ object }) => object))], mostObjects),
      disagreement: isSame
        ? undefined
        : `Secret ${key} is asked for by ${nameSome(requests, 5, ', and by ')}: give each its own Secret, or the same names to all`,
    };
  });
}

function findForeignClass(
  { kind, className, parent }: TlsObject,
  { classes, defaultClass }: DiscoverySpec,
): string | undefined {
  if (kind === 'Service' || classes === undefined) return undefined;
  const actual = className ?? (kind === 'Ingress' ? defaultClass : undefined);
  if (actual !== undefined && classes.includes(actual)) return undefined;
  if (parent && actual === undefined) {
    return `its class is that of its Gateway ${parent.namespace}/${parent.name}, which is not in the inventory's places: correct parentRef, add that namespace to them, or leave out classes`;
  }
  const described = actual === undefined ? 'it names no class' : `its class is ${cutText(actual, 100)}`;
  return `${described}, and the inventory's classes are ${classes.join(', ')}`;
}

/** The object's uses of Secrets. Listeners of a Gateway or ListenerSet with the same Secret are merged;
 *  entries of an Ingress are not. */
function usesOf(object: TlsObject): TlsObject['tls'] {
  if (object.kind === 'Service') return readService(object);
  if (object.kind === 'Ingress') return object.tls;
  const bySecret = new Map<string, TlsUse>();
  for (const use of object.tls) {
    const key = `${use.namespace ?? object.namespace}/${use.secret ?? ''}`;
    bySecret.set(key, { ...use, hosts: [...(bySecret.get(key)?.hosts ?? []), ...use.hosts] });
  }
  return [...bySecret.values()];
}

function readService({ annotations }: TlsObject): TlsObject['tls'] {
  const domains = annotations[serviceAnnotations.domains] ?? '';
  const secret = annotations[serviceAnnotations.secret];
  const hosts = domains.split(/[\s,]+/).filter((host) => host !== '');
  return hosts.length === 0 && secret === undefined ? [] : [{ hosts, secret }];
}

function explainNoUse({ kind }: TlsObject): string {
  switch (kind) {
    case 'Ingress':
      return 'it asks for a certificate, but has no spec.tls: add one with the Secret and its hosts';
    case 'Gateway':
    case 'ListenerSet':
      return 'it asks for a certificate, but no listener has tls.certificateRefs: add the Secret there';
    case 'Service':
      return `it asks for a certificate, but lacks annotations: add ${serviceAnnotations.domains} and ${serviceAnnotations.secret}`;
  }
}
