// Reads only the fields of an inventory that refer to each other, also from a file with other mistakes.
import * as z from 'zod';
import { acmName } from './acm-checks.ts';
import { directory, zone } from './fields.ts';

/** The outline of a parsed YAML value. Fields that cannot be read are absent or empty. Never throws. */
export function parseOutline(input: unknown): Outline {
  return outlineSchema.parse(input);
}

/** A cluster's namespace, or a region of ACM, that certificates go to, with its paths in the file. For ACM,
 *  `cluster` is `acm` and `namespace` the region. */
interface DeliveryScope {
  readonly cluster: string;
  readonly namespace: string;
  readonly path: readonly PropertyKey[];
  readonly clusterPath: readonly PropertyKey[];
}

/** Each part of the file that orders from issuers: certificates, `registration` and `discovery`. With each,
 *  its issuers and where its certificates go, with their paths. */
export function findIssuerUsers({ certificates, registration, discovery }: Outline) {
  const users = [
    ...certificates.map((certificate, index) => ({
      ...certificate,
      path: ['certificates', index],
      scopes: scopesOfTargets(certificate.targets, ['certificates', index]),
    })),
    ...(registration === undefined
      ? []
      : [
          {
            ...registration,
            path: ['registration'],
            scopes: scopesOfTargets(registration.targets, ['registration']),
          },
        ]),
    ...(discovery === undefined ? [] : findDiscoveryUsers(discovery)),
  ];
  return users.map(({ issuer = 'default', fallbackIssuers, scopes, path }) => ({
    issuers: [
      { name: issuer, path: [...path, 'issuer'] },
      ...fallbackIssuers.map((name, index) => ({ name, path: [...path, 'fallbackIssuers', index] })),
    ],
    scopes,
  }));
}

/** The `discovery` section, for places that use its issuers, and each place with an issuer of its own. */
function findDiscoveryUsers(discovery: NonNullable<Outline['discovery']>) {
  const places = discovery.places.map((entry, index) => ({
    ...entry,
    path: ['discovery', 'places', index],
    scopes: scopeOfPlace(entry.place, ['discovery', 'places', index]),
  }));
  const own = places.filter(({ issuer }) => issuer !== undefined);
  const shared = places.filter(({ issuer }) => issuer === undefined);
  const isUsed = shared.length > 0 || own.length === 0 || discovery.issuer !== undefined;
  const section = { ...discovery, path: ['discovery'], scopes: shared.flatMap(({ scopes }) => scopes) };
  return isUsed ? [section, ...own] : own;
}

function scopesOfTargets(
  found: CertificateOutline['targets'],
  owner: readonly PropertyKey[],
): readonly DeliveryScope[] {
  return found.flatMap(({ cluster, namespace = 'default', acm: inAcm }, index) => {
    const path = [...owner, 'targets', index];
    if (inAcm?.region !== undefined) {
      return [{ cluster: acmName, namespace: inAcm.region, path, clusterPath: path }];
    }
    return cluster === undefined ? [] : [{ cluster, namespace, path, clusterPath: [...path, 'cluster'] }];
  });
}

function scopeOfPlace(place: string | undefined, path: readonly PropertyKey[]): readonly DeliveryScope[] {
  const [cluster, namespace] = place?.split('/') ?? [];
  return cluster && namespace ? [{ cluster, namespace, path, clusterPath: path }] : [];
}

const text = z.string().optional().catch(undefined);
const list = <Item extends z.ZodType>(item: Item) => z.array(item).catch([]).default([]);
const keyed = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value).catch({}).default({});
const acm = z.object({ region: text, arn: text }).optional().catch(undefined);
const targets = list(z.object({ cluster: text, namespace: text, secret: text, acm }).catch({}));
const place = z.union([
  z.string().transform((text) => ({ place: text, issuer: undefined, fallbackIssuers: [] })),
  z
    .object({ place: text, issuer: text, fallbackIssuers: list(z.string()) })
    .catch({ place: undefined, issuer: undefined, fallbackIssuers: [] }),
]);

const outlineSchema = z
  .object({
    issuers: keyed(
      z
        .object({
          directory: directory.optional().catch(undefined),
          eab: z.object({ secret: text }).optional().catch(undefined),
          onlyFor: z.array(z.string()).optional().catch(undefined),
          rehearsal: text,
        })
        .catch({}),
    ),
    clusters: keyed(z.unknown()),
    certificates: list(
      z
        .object({
          name: text,
          issuer: text,
          fallbackIssuers: list(z.string()),
          domains: z.unknown(),
          targets,
        })
        .catch({ fallbackIssuers: [], domains: [], targets: [] }),
    ),
    registration: z
      .object({ issuer: text, fallbackIssuers: list(z.string()), targets })
      .optional()
      .catch(undefined),
    discovery: z
      .object({ issuer: text, fallbackIssuers: list(z.string()), places: list(place) })
      .optional()
      .catch(undefined),
    dns: z
      .object({
        zones: list(
          z.object({ match: zone.optional().catch(undefined), roleArn: text, externalId: text }).catch({}),
        ),
      })
      .optional()
      .catch(undefined),
  })
  .catch({
    issuers: {},
    clusters: {},
    certificates: [],
    registration: undefined,
    discovery: undefined,
    dns: undefined,
  });

/** The fields of an inventory that refer to each other. */
export type Outline = z.output<typeof outlineSchema>;
/** One certificate of an outline. */
export type CertificateOutline = Outline['certificates'][number];
