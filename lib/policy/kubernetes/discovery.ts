// Decides which objects of clusters ask for certificates, and which Secrets they ask to be filled.

import { sameNames } from '../../certificate/names.ts';
import type { DiscoverySpec } from '../../certificate/spec.ts';
import type { RequestedSecret } from '../../inventory/discovery.ts';
import { cutText, listSome, nameSome } from '../bounds.ts';
import { nameObject, type TlsObject, type TlsUse } from './tls-objects.ts';

/** What one object comes to: Secrets to fill, or why it is passed over. Both may be empty: it asks for nothing. */
export interface DiscoveredObject {
  /** `Ingress shop/web in cluster lab`. */
  readonly object: string;
  readonly secrets: readonly RequestedSecret[];
  /** A sentence for each thing of it that is passed over. */
  readonly remarks: readonly string[];
  /** One of them that its owner must hear of: it asks for more than anybody looks at. */
  readonly excess?: string | undefined;
}

/** One Secret, and all objects that ask for it. */
export interface SecretRequest {
  readonly secret: RequestedSecret;
  readonly objects: readonly string[];
  /** They ask for different names, so none of them is served. */
  readonly disagreement?: string | undefined;
}

/** Annotations of a Service, which has no fields for them: its names, with spaces between, and the Secret. */
export const serviceAnnotations = {
  domains: 'certrelay.dev/domains',
  secret: 'certrelay.dev/secret',
} as const;

/** Whoever may write an object decides how much is in it: so much of one is looked at, and told. */
const mostSecrets = 100;
const mostRemarks = 10;
const mostObjects = 20;
const longestName = 253;

/** Annotations by which other tools are asked, and whether a value asks. */
const hints: Readonly<Record<string, (value: string) => boolean>> = {
  'kubernetes.io/tls-acme': (value) => value === 'true',
  'cert-manager.io/issuer': (value) => value !== '',
  'cert-manager.io/cluster-issuer': (value) => value !== '',
};

/** What an object of a cluster asks for, as far as the inventory's section says that it may ask. */
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
      `it asks another tool, by ${hint}: write ${discovery.annotation}: "true" instead of it, or hints: true in the inventory once that tool is gone`,
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
        return `it names a Secret by ${secret.length} characters, and a name has ${longestName} at most`;
      // Whoever may write here need not be allowed to write there; ReferenceGrants are not read.
      if (namespace !== object.namespace) {
        return `Secret ${namespace}/${secret} is of another namespace, where an object has to ask for it; or write it into the inventory`;
      }
      if (hosts.length === 0) return `it names no host for Secret ${secret}, and a certificate needs names`;
      return { cluster, namespace, secret, domains: [...new Set(hosts)], restart };
    });
  const remarks = found.filter((one) => typeof one === 'string');
  const excess =
    uses.length > mostSecrets
      ? `it names ${uses.length} Secrets, and of one object ${mostSecrets} are looked at: make several objects of it`
      : undefined;
  return {
    object: named,
    secrets: found.filter((one) => typeof one !== 'string'),
    remarks: [...listSome(remarks, mostRemarks), ...(excess ? [excess] : [])],
    excess,
  };
}

/** One request for each Secret. Several that ask for the same names share it; where they ask for others, nobody can know
 *  which is meant. */
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
    const said = asking.map(({ object, secret }) => `${object} for ${nameSome(secret.domains, 10)}`);
    const restart = asking.some(({ secret }) => secret.restart === 'auto') ? 'auto' : 'none';
    return {
      secret: { ...first.secret, restart },
      objects: listSome([...new Set(asking.map(({ object }) => object))], mostObjects),
      disagreement: isSame
        ? undefined
        : `Secret ${key} is asked for by ${nameSome(said, 5, ', and by ')}: give each its own Secret, or all of them the same names`,
    };
  });
}

function findForeignClass(
  { kind, className }: TlsObject,
  { classes, defaultClass }: DiscoverySpec,
): string | undefined {
  if (kind === 'Service' || classes === undefined) return undefined;
  const actual = className ?? (kind === 'Ingress' ? defaultClass : undefined);
  if (actual !== undefined && classes.includes(actual)) return undefined;
  const said = actual === undefined ? 'it names no class' : `its class is ${cutText(actual, 100)}`;
  return `${said}, and the inventory's classes are ${classes.join(', ')}`;
}

/** Each Secret of a Gateway once, with the hosts of all listeners that use it; each element of an Ingress by itself. */
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
      return 'it asks for a certificate and has no spec.tls that says for which Secret';
    case 'Gateway':
      return 'it asks for a certificate and no listener of it has tls.certificateRefs';
    case 'Service':
      return `it asks for a certificate and has no ${serviceAnnotations.domains} and ${serviceAnnotations.secret}`;
  }
}
