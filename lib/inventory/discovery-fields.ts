// What a user writes of the objects in clusters that may ask for certificates: `discovery`.
import * as z from 'zod';
import type { DiscoverySpec } from '../certificate/spec.ts';
import { mapping, zone } from './fields.ts';
import { ordering } from './order-fields.ts';
import { describeInput } from './problems.ts';

/** Annotation of objects that ask for certificates, where the inventory names no other. */
const defaultAnnotation = 'certrelay.dev/tls';

const place = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'is no place; write a key of clusters and a namespace, such as lab/shop',
  )
  .transform((text) => {
    const [cluster = '', namespace = ''] = text.split('/');
    return { cluster, namespace };
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
  zones: z
    .array(zone)
    .min(1, 'is empty; write the zones that may be asked for, or leave out discovery')
    .describe('The names that may be asked for: these and all below them'),
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
  const { classes, defaultClass } = spec;
  if (defaultClass !== undefined && classes?.includes(defaultClass) !== true) {
    const right = classes ? `write one of ${classes.join(', ')}` : 'write classes with it, or leave it out';
    const message = `${describeInput(defaultClass)} is none of classes; ${right}`;
    context.addIssue({ code: 'custom', path: ['defaultClass'], message });
  }
  return spec;
});

/** What `discovery` reads as the same. */
export function writeDiscovery({ places, ...spec }: DiscoverySpec): object {
  return { ...spec, places: places.map(({ cluster, namespace }) => `${cluster}/${namespace}`) };
}
