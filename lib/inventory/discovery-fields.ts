// What a user writes of the objects in clusters that may ask for certificates: `discovery`.
import * as z from 'zod';
import type { DiscoveryScope, DiscoverySpec } from '../certificate/spec.ts';
import { mapping, zone } from './fields.ts';
import { fallbackIssuers, ordering } from './order-fields.ts';
import { describeInput } from './problems.ts';

/** Annotation of objects that ask for certificates, where the inventory names no other. */
const defaultAnnotation = 'certrelay.dev/tls';

const placeText = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'is no place; write a key of clusters and a namespace, such as lab/shop',
  )
  .transform((text): DiscoveryScope => {
    const [cluster = '', namespace = ''] = text.split('/');
    return { cluster, namespace };
  });

const zones = z
  .array(zone)
  .min(1, 'is empty; write the zones that may be asked for, or leave it out')
  .optional();

const tenant = mapping({
  place: placeText.describe('Where objects are looked for: cluster/namespace'),
  zones: zones.describe(
    'The names that may be asked for there: these and all below them; those of discovery where absent',
  ),
  issuer: z.string().optional().describe('A key of issuers; those of discovery where absent'),
  fallbackIssuers,
  wildcards: z.boolean().default(false).describe('Whether wildcards may be asked for'),
  apex: z
    .boolean()
    .default(false)
    .describe('Whether the name of a zone itself may be asked for, beside those below it'),
}).transform(({ place, ...rules }, context): DiscoveryScope => {
  if (rules.fallbackIssuers !== undefined && rules.issuer === undefined) {
    const message = 'stand in for no issuer of this place; write issuer with them, or leave them out';
    context.addIssue({ code: 'custom', path: ['fallbackIssuers'], message });
  }
  return { ...place, tenant: rules };
});

const place = z.union([placeText, tenant], {
  error: ({ input }) =>
    `is ${describeInput(input)}; write such as lab/shop, or { place: lab/shop, zones: [shop.example.com] }`,
});

const annotation = z
  .string()
  .regex(
    /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/,
    `is no name of an annotation; write such as ${defaultAnnotation}`,
  );

const className = z.string().min(1, 'is empty; write the name of a class, such as nginx');

/** Where objects may ask, for what, and how they do. */
export const discovery = mapping({
  places: z
    .array(place)
    .min(1, 'is empty; write such as [lab/shop], or leave out discovery')
    .describe('Where objects are looked for, each cluster/namespace'),
  zones: zones.describe(
    'The names that may be asked for: these and all below them; needed unless each place has zones of its own',
  ),
  annotation: annotation
    .default(defaultAnnotation)
    .describe('An object asks by this annotation with the value "true"'),
  hints: z
    .boolean()
    .default(false)
    .describe('Whether annotations of kube-lego and cert-manager ask too; not while those still run'),
  classes: z
    .array(className)
    .min(1, 'is empty; write classes, or leave it out for all')
    .optional()
    .describe('Classes of Ingresses and Gateways that are looked at; all where absent'),
  defaultClass: className.optional().describe('The class of an Ingress that names none; one of classes'),
  ...ordering,
  adopt: z.boolean().default(false).describe('Take over Secrets that are not managed here yet'),
}).transform((spec, context): DiscoverySpec => {
  const { classes, defaultClass, places } = spec;
  if (defaultClass !== undefined && classes?.includes(defaultClass) !== true) {
    const right = classes ? `write one of ${classes.join(', ')}` : 'write classes with it, or leave it out';
    const message = `${describeInput(defaultClass)} is none of classes; ${right}`;
    context.addIssue({ code: 'custom', path: ['defaultClass'], message });
  }
  if (spec.zones === undefined && places.some(({ tenant: own }) => own?.zones === undefined)) {
    const message =
      'is missing; write a list of the zones that places without zones of their own may ask for';
    context.addIssue({ code: 'custom', path: ['zones'], message });
  }
  for (const [index, { cluster, namespace, tenant: own }] of places.entries()) {
    const earlier = places.findIndex((one) => one.cluster === cluster && one.namespace === namespace);
    if (earlier === index || (own === undefined && places[earlier]?.tenant === undefined)) continue;
    const message = `${cluster}/${namespace} is discovery.places[${earlier}] too; write one of them`;
    context.addIssue({ code: 'custom', path: ['places', index], message });
  }
  return { ...spec, zones: spec.zones ?? [] };
});

/** What `discovery` reads as the same. */
export function writeDiscovery({ places, zones: shared, ...spec }: DiscoverySpec): object {
  const written = places.map(({ cluster, namespace, tenant: rules }) => {
    const named = `${cluster}/${namespace}`;
    return rules ? { place: named, ...rules } : named;
  });
  return { ...spec, ...(shared.length > 0 ? { zones: shared } : {}), places: written };
}
