// Finds the rules, of `registration` or `discovery`, for a specification that is not in the file.
import {
  type AllowedRestart,
  type DiscoveryScope,
  type DiscoverySpec,
  type Inventory,
  isSecretTarget,
  type KeyType,
  type SecretTarget,
} from '../certificate/spec.ts';
import type { SpecSource, StoredSpec } from '../certificate/stored.ts';

/** A namespace of a cluster. */
export type NamespaceRef = Pick<SecretTarget, 'cluster' | 'namespace'>;

/** What one source of specifications may request now. */
export interface SourceRules {
  /** Names the source in messages: `the webhook`, or a place such as `lab/shop`. Certificates of one source
   *  may share DNS names. */
  readonly source: string;
  /** A DNS name must be one of these zones or below one. */
  readonly zones: readonly string[];
  /** Whether wildcards may be requested. */
  readonly wildcards: boolean;
  /** Whether the name of a zone itself may be requested. */
  readonly apex: boolean;
  readonly issuer: string;
  readonly fallbackIssuers?: readonly string[] | undefined;
  readonly key: KeyType;
  /** Namespaces that targets may be in. */
  readonly namespaceRefs: readonly NamespaceRef[];
  /** What a request may restart in one of these namespaces, in addition to `none`. */
  readonly restarts: (ref: NamespaceRef) => readonly AllowedRestart[];
  /** What the inventory's own targets there restart. A request without targets gets those targets. */
  readonly ownRestarts: (ref: NamespaceRef) => readonly AllowedRestart[];
}

/** The rules for a stored specification. `unbound`: a person imported it, and no section of the inventory
 *  applies. `gone`: the inventory no longer has its section or its place. */
export function rulesOf(
  { source, targets }: Pick<StoredSpec, 'source' | 'targets'>,
  { registration, discovery }: Pick<Inventory, 'registration' | 'discovery'>,
): SourceRules | 'unbound' | 'gone' {
  switch (source satisfies SpecSource) {
    case 'import':
      return 'unbound';
    case 'registration':
      return registration ? webhookRules(registration) : 'gone';
    case 'discovery': {
      const [first] = targets.filter(isSecretTarget);
      return (first && discovery && namespaceRules(discovery, first)) ?? 'gone';
    }
  }
}

/** What senders to the webhook may request. Wildcards and the zones themselves are always allowed. */
export function webhookRules(registration: NonNullable<Inventory['registration']>): SourceRules {
  const { zones, issuer, fallbackIssuers, key, targets, restarts } = registration;
  const own = targets.filter(isSecretTarget);
  const ownRestarts = (ref: NamespaceRef) =>
    own
      .filter((target) => isSameNamespace(target, ref))
      .flatMap(({ restart }): readonly AllowedRestart[] =>
        typeof restart === 'string' ? [restart] : restart,
      );
  return {
    source: 'the webhook',
    zones,
    wildcards: true,
    apex: true,
    issuer,
    fallbackIssuers,
    key,
    namespaceRefs: own.map(({ cluster, namespace }) => ({ cluster, namespace })),
    restarts: (ref) => restarts ?? ['auto', ...ownRestarts(ref)],
    ownRestarts,
  };
}

/** What objects in a namespace may request. `undefined` if `discovery.places` does not list the namespace. */
export function namespaceRules(
  discovery: DiscoverySpec,
  { cluster, namespace }: NamespaceRef,
): SourceRules | undefined {
  const ref = discovery.places.find((place) => isSameNamespace(place, { cluster, namespace }));
  if (!ref) return undefined;
  const { tenant } = ref;
  // The section's fallback issuers are for the section's issuer only.
  const { issuer, fallbackIssuers } =
    tenant?.issuer === undefined
      ? discovery
      : { issuer: tenant.issuer, fallbackIssuers: tenant.fallbackIssuers };
  return {
    source: nameNamespace(ref),
    zones: tenant?.zones ?? discovery.zones,
    wildcards: tenant?.wildcards ?? true,
    apex: tenant?.apex ?? true,
    issuer,
    fallbackIssuers,
    key: discovery.key,
    namespaceRefs: [{ cluster, namespace }],
    restarts: () => ['auto'],
    ownRestarts: () => [],
  };
}

/** The namespace for messages: `lab/shop`. */
export function nameNamespace({ cluster, namespace }: Pick<DiscoveryScope, 'cluster' | 'namespace'>): string {
  return `${cluster}/${namespace}`;
}

/** Whether both are the same namespace of the same cluster. */
export function isSameNamespace(first: NamespaceRef, other: NamespaceRef): boolean {
  return first.cluster === other.cluster && first.namespace === other.namespace;
}
