// Which rules of today's inventory hold for a specification that did not come from the file: the webhook's, or its place's.
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

/** What one source may ask for now. */
export interface SourceRules {
  /** Names the source for a person: `the webhook`, or a place such as `lab/shop`. Certificates of one source may share names. */
  readonly source: string;
  /** A name must be one of these or below one. */
  readonly zones: readonly string[];
  readonly wildcards: boolean;
  /** Whether the name of a zone itself may be asked for. */
  readonly apex: boolean;
  readonly issuer: string;
  readonly fallbackIssuers?: readonly string[] | undefined;
  readonly key: KeyType;
  /** Namespaces that targets may be in. */
  readonly namespaceRefs: readonly NamespaceRef[];
  /** What a request may name to be restarted in one of these places, beside `none`. */
  readonly restarts: (ref: NamespaceRef) => readonly AllowedRestart[];
  /** What the operator's own targets there restart: targets that nobody asked for have it. */
  readonly ownRestarts: (ref: NamespaceRef) => readonly AllowedRestart[];
}

/** The rules for a specification of that source. `unbound`: a person has imported it by hand, and no section is about it.
 *  `gone`: the inventory has no such section, or the place is no longer in it. */
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

/** What senders to the webhook may ask for. Wildcards and the zones themselves always were among it. */
export function webhookRules(registration: NonNullable<Inventory['registration']>): SourceRules {
  const { zones, issuer, fallbackIssuers, key, targets, restarts } = registration;
  const own = targets.filter(isSecretTarget);
  const ownRestarts = (ref: NamespaceRef) =>
    own
      .filter((one) => isSameNamespace(one, ref))
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

/** What objects in a place may ask for; `undefined` for a place that `discovery` does not name. */
export function namespaceRules(
  discovery: DiscoverySpec,
  { cluster, namespace }: NamespaceRef,
): SourceRules | undefined {
  const ref = discovery.places.find((one) => isSameNamespace(one, { cluster, namespace }));
  if (!ref) return undefined;
  const { tenant } = ref;
  // Whoever stands in for the section's issuer need not stand in for the place's own.
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

/** `lab/shop`. */
export function nameNamespace({ cluster, namespace }: Pick<DiscoveryScope, 'cluster' | 'namespace'>): string {
  return `${cluster}/${namespace}`;
}

/** Whether both are one namespace of one cluster. */
export function isSameNamespace(one: NamespaceRef, other: NamespaceRef): boolean {
  return one.cluster === other.cluster && one.namespace === other.namespace;
}
