// Which rules of today's inventory hold for a specification that did not come from the file: the webhook's, or its place's.
import {
  type AllowedRestart,
  type DiscoveryPlace,
  type DiscoverySpec,
  type Inventory,
  isSecretTarget,
  type KeyType,
  type SecretTarget,
} from '../certificate/spec.ts';
import type { SpecSource, StoredSpec } from '../certificate/stored.ts';

/** A namespace of a cluster. */
export type Place = Pick<SecretTarget, 'cluster' | 'namespace'>;

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
  readonly places: readonly Place[];
  /** What a request may name to be restarted in one of these places, beside `none`. */
  readonly restarts: (place: Place) => readonly AllowedRestart[];
  /** What the operator's own targets there restart: targets that nobody asked for have it. */
  readonly ownRestarts: (place: Place) => readonly AllowedRestart[];
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
      return (first && discovery && placeRules(discovery, first)) ?? 'gone';
    }
  }
}

/** What senders to the webhook may ask for. Wildcards and the zones themselves always were among it. */
export function webhookRules(registration: NonNullable<Inventory['registration']>): SourceRules {
  const { zones, issuer, fallbackIssuers, key, targets, restarts } = registration;
  const own = targets.filter(isSecretTarget);
  const ownRestarts = (place: Place) =>
    own
      .filter((one) => isSamePlace(one, place))
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
    places: own.map(({ cluster, namespace }) => ({ cluster, namespace })),
    restarts: (place) => restarts ?? ['auto', ...ownRestarts(place)],
    ownRestarts,
  };
}

/** What objects in a place may ask for; `undefined` for a place that `discovery` does not name. */
export function placeRules(discovery: DiscoverySpec, { cluster, namespace }: Place): SourceRules | undefined {
  const place = discovery.places.find((one) => isSamePlace(one, { cluster, namespace }));
  if (!place) return undefined;
  const { tenant } = place;
  // Whoever stands in for the section's issuer need not stand in for the place's own.
  const { issuer, fallbackIssuers } =
    tenant?.issuer === undefined
      ? discovery
      : { issuer: tenant.issuer, fallbackIssuers: tenant.fallbackIssuers };
  return {
    source: namePlace(place),
    zones: tenant?.zones ?? discovery.zones,
    wildcards: tenant?.wildcards ?? true,
    apex: tenant?.apex ?? true,
    issuer,
    fallbackIssuers,
    key: discovery.key,
    places: [{ cluster, namespace }],
    restarts: () => ['auto'],
    ownRestarts: () => [],
  };
}

/** `lab/shop`. */
export function namePlace({ cluster, namespace }: Pick<DiscoveryPlace, 'cluster' | 'namespace'>): string {
  return `${cluster}/${namespace}`;
}

/** Whether both are one namespace of one cluster. */
export function isSamePlace(one: Place, other: Place): boolean {
  return one.cluster === other.cluster && one.namespace === other.namespace;
}
