// Just the fields of an inventory that refer to each other, read from a file that may have any other mistakes.
import * as z from 'zod';
import { acmPlace } from './acm-checks.ts';
import { directory, zone } from './fields.ts';

/** What is readable of a file; what is not is absent. */
export function parseOutline(input: unknown): Outline {
  return outlineSchema.parse(input);
}

/** A cluster's namespace, or a region of ACM, that certificates may go to, and where the file says so. */
interface PlaceOutline {
  readonly cluster: string;
  readonly namespace: string;
  readonly path: readonly PropertyKey[];
  readonly clusterPath: readonly PropertyKey[];
}

/** What asks issuers for certificates, and where it names each issuer and each place. */
export function usersOf({ certificates, registration, discovery }: Outline) {
  const users = [
    ...certificates.map((one, index) => ({
      ...one,
      path: ['certificates', index],
      places: placesOf(one.targets, ['certificates', index]),
    })),
    ...(registration === undefined
      ? []
      : [
          {
            ...registration,
            path: ['registration'],
            places: placesOf(registration.targets, ['registration']),
          },
        ]),
    ...(discovery === undefined ? [] : discoverersOf(discovery)),
  ];
  return users.map(({ issuer = 'default', fallbackIssuers, places, path }) => ({
    issuers: [
      { name: issuer, path: [...path, 'issuer'] },
      ...fallbackIssuers.map((name, index) => ({ name, path: [...path, 'fallbackIssuers', index] })),
    ],
    places,
  }));
}

/** The section itself for the places that take its issuers, and each place that has one of its own. */
function discoverersOf(discovery: NonNullable<Outline['discovery']>) {
  const places = discovery.places.map((one, index) => ({
    ...one,
    path: ['discovery', 'places', index],
    places: placeOf(one.place, ['discovery', 'places', index]),
  }));
  const own = places.filter(({ issuer }) => issuer !== undefined);
  const shared = places.filter(({ issuer }) => issuer === undefined);
  const isUsed = shared.length > 0 || own.length === 0 || discovery.issuer !== undefined;
  const section = { ...discovery, path: ['discovery'], places: shared.flatMap((one) => one.places) };
  return isUsed ? [section, ...own] : own;
}

function placesOf(
  found: CertificateOutline['targets'],
  owner: readonly PropertyKey[],
): readonly PlaceOutline[] {
  return found.flatMap(({ cluster, namespace = 'default', acm: inAcm }, index) => {
    const path = [...owner, 'targets', index];
    if (inAcm?.region !== undefined) {
      return [{ cluster: acmPlace, namespace: inAcm.region, path, clusterPath: path }];
    }
    return cluster === undefined ? [] : [{ cluster, namespace, path, clusterPath: [...path, 'cluster'] }];
  });
}

function placeOf(place: string | undefined, path: readonly PropertyKey[]): readonly PlaceOutline[] {
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

/** What refers to each other in a file. */
export type Outline = z.output<typeof outlineSchema>;
/** One certificate of it. */
export type CertificateOutline = Outline['certificates'][number];
