// The schema of `discovery`: which objects in clusters may request certificates, and which.
import * as z from 'zod';
import type { DiscoveryScope, DiscoverySpec } from '../certificate/spec.ts';
import { mapping, zone } from './fields.ts';
import { fallbackIssuers, ordering } from './order-fields.ts';
import { when } from './patterns.ts';
import { describeInput } from './problems.ts';

/** Annotation with which an object requests a certificate, unless the inventory names another. */
const defaultAnnotation = 'certrelay.dev/tls';

const placeText = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'is not a place; write a key of clusters and a namespace, such as lab/shop',
  )
  .transform((text): DiscoveryScope => {
    const [cluster = '', namespace = ''] = text.split('/');
    return { cluster, namespace };
  });

const zones = z
  .array(zone)
  .min(1, 'is empty; write the zones that objects may request, or leave it out')
  .optional();

const tenant = mapping({
  place: placeText.describe('Where to look for objects: cluster/namespace'),
  zones: zones.describe(
    'Zones of the DNS names that objects there may request: these names and all below them. Default: zones of discovery',
  ),
  issuer: z.string().optional().describe('A key of issuers. Default: the issuers of discovery'),
  fallbackIssuers,
  wildcards: z.boolean().default(false).describe('Whether objects there may request wildcards'),
  apex: z
    .boolean()
    .default(false)
    .describe('Whether objects there may request the name of a zone itself, in addition to names below it'),
})
  .meta({ dependencies: { fallbackIssuers: ['issuer'] } })
  .transform(({ place, ...rules }, context): DiscoveryScope => {
    if (rules.fallbackIssuers !== undefined && rules.issuer === undefined) {
      const message = 'need an issuer of this place; add issuer, or leave them out';
      context.addIssue({ code: 'custom', path: ['fallbackIssuers'], message });
    }
    return { ...place, tenant: rules };
  });

const place = z.union([placeText, tenant], {
  error: ({ input }) =>
    `is ${describeInput(input)}; use e.g. lab/shop, or { place: lab/shop, zones: [shop.example.com] }`,
});

const annotation = z
  .string()
  .regex(
    /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/,
    `is not the name of an annotation; use e.g. ${defaultAnnotation}`,
  );

const className = z.string().min(1, 'is empty; write the name of a class, e.g. nginx');

/** `discovery`: where objects may request certificates, for which names, and how. */
export const discovery = mapping({
  places: z
    .array(place)
    .min(1, 'is empty; use e.g. [lab/shop], or leave out discovery')
    .describe('Where to look for objects, each as cluster/namespace'),
  zones: zones.describe(
    'Zones of the DNS names that objects may request: these names and all below them. Required unless each place has its own zones',
  ),
  annotation: annotation
    .default(defaultAnnotation)
    .describe('Objects with this annotation and the value "true" request a certificate'),
  hints: z
    .boolean()
    .default(false)
    .describe(
      'Whether annotations of kube-lego and cert-manager count too. Do not use this while those tools still run',
    ),
  classes: z
    .array(className)
    .min(1, 'is empty; write classes, or leave it out to allow all')
    .optional()
    .describe('Classes of the Ingresses, Gateways and ListenerSets to read. Default: all'),
  defaultClass: className.optional().describe('Class of an Ingress that has none; must be one of classes'),
  ...ordering,
  adopt: z.boolean().default(false).describe('Take over Secrets that exist and are not managed by Certrelay'),
  retire: z
    .boolean()
    .default(false)
    .describe(
      'Whether a certificate that no object requests any more is retired, after seven days on which its place could be listed',
    ),
})
  .meta({
    dependencies: { defaultClass: ['classes'] },
    ...when(
      { not: { required: ['zones'] } },
      { properties: { places: { items: { type: 'object', required: ['zones'] } } } },
    ),
  })
  .transform((spec, context): DiscoverySpec => {
    const { classes, defaultClass, places } = spec;
    if (defaultClass !== undefined && classes?.includes(defaultClass) !== true) {
      const advice = classes ? `use one of ${classes.join(', ')}` : 'add classes, or leave it out';
      const message = `${describeInput(defaultClass)} is not one of classes; ${advice}`;
      context.addIssue({ code: 'custom', path: ['defaultClass'], message });
    }
    if (spec.zones === undefined && places.some(({ tenant: own }) => own?.zones === undefined)) {
      const message = 'is missing; write the zones that places without their own zones may request';
      context.addIssue({ code: 'custom', path: ['zones'], message });
    }
    for (const [index, { cluster, namespace, tenant: own }] of places.entries()) {
      const earlier = places.findIndex((place) => place.cluster === cluster && place.namespace === namespace);
      if (earlier === index || (own === undefined && places[earlier]?.tenant === undefined)) continue;
      const message = `${cluster}/${namespace} is also discovery.places[${earlier}]; remove one of the two`;
      context.addIssue({ code: 'custom', path: ['places', index], message });
    }
    return { ...spec, zones: spec.zones ?? [] };
  });

/** The value for `discovery` that parses back to the same specification. */
export function serializeDiscovery({ places, zones: shared, ...spec }: DiscoverySpec): object {
  const written = places.map(({ cluster, namespace, tenant: rules }) => {
    const named = `${cluster}/${namespace}`;
    return rules ? { place: named, ...rules } : named;
  });
  return { ...spec, ...(shared.length > 0 ? { zones: shared } : {}), places: written };
}
