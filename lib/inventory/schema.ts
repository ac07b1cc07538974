// The schema of `infra/certificates.yaml`: keys, defaults, and the descriptions that editors show.
import * as z from 'zod';
import { isCovered, withoutWildcard } from '../certificate/names.ts';
import {
  type CertificateSpec,
  type Inventory,
  pemFormats,
  secretFormats,
  type TargetSpec,
} from '../certificate/spec.ts';
import { awsTags } from './aws-tag-fields.ts';
import { cluster } from './cluster-fields.ts';
import { discovery } from './discovery-fields.ts';
import { dns } from './dns-fields.ts';
import {
  certificateName,
  domains,
  duration,
  mapping,
  namespace,
  objectName,
  referenceName,
  secretTemplate,
  zone,
} from './fields.ts';
import { issuer } from './issuer-fields.ts';
import { kmsKey } from './kms-key-field.ts';
import { notifications } from './notice-fields.ts';
import { ordering } from './order-fields.ts';
import { when } from './patterns.ts';
import { addressFields, probe } from './probe-fields.ts';
import { allowedRestart, restart, restartChoice } from './restart-fields.ts';
import { rollout } from './rollout-fields.ts';
import { acmFields, checkSecretFields, secretFields, secretRules } from './target-fields.ts';

const locationFields = {
  cluster: z.string().describe('A key of clusters'),
  namespace: namespace.describe('Namespace of the Secret'),
};
const deliveryFields = {
  format: z.enum(secretFormats).default('tls').describe('Which keys the Secret gets'),
  restart: restart.describe(
    'Workloads to restart. auto: those that use the Secret; needed: those that do not see new values without a restart; none; or a list such as [Deployment/web]',
  ),
  restartStrategy: z
    .enum(['annotation', 'env'])
    .default('annotation')
    .describe(
      'How pod templates are changed to restart them: by an annotation, or by the environment variable LETSENCRYPT_CERT_REFRESH',
    ),
};
const takeOverFields = {
  adopt: z
    .boolean()
    .default(false)
    .describe('Take over a Secret that exists and is not managed by Certrelay'),
  replace: z.boolean().default(false).describe('Delete a Secret of another type and create it again'),
};

const secretTarget = mapping({
  ...locationFields,
  secret: objectName.optional().describe('Name of the Secret. Default: certs-<first domain>'),
  ...deliveryFields,
  ...secretFields,
  rollout,
  ...takeOverFields,
  ...addressFields,
})
  .meta(secretRules)
  .superRefine(checkSecretFields);
const acmTarget = mapping({ ...acmFields, ...addressFields });

const certificate = mapping({
  name: certificateName.describe('Unique name; it is part of the name of the AWS secret'),
  domains: domains.describe('DNS names, the primary one first. Write wildcards in quotes'),
  ...ordering,
  rotateKey: z
    .enum(['always', 'never'])
    .default('always')
    .describe('always: each renewal makes a new private key; never: renewals keep the key'),
  renewBefore: duration
    .optional()
    .describe(
      'How long before its end to renew, such as 30d or 12h. Default: when the CA recommends, else after two thirds of the lifetime (half, if it is under 10 days)',
    ),
  probe,
  targets: z
    .array(z.union([secretTarget, acmTarget]))
    .default([])
    .describe('Where to deliver the certificate. Default: it is only stored'),
})
  .meta(
    when(
      { properties: { probe: { const: false } }, required: ['probe'] },
      { properties: { targets: { items: { properties: { addresses: false } } } } },
    ),
  )
  .transform(({ renewBefore, rotateKey, targets, probe, ...spec }, context): CertificateSpec => {
    for (const [index, name] of (probe ? (probe.names ?? []) : []).entries()) {
      if (isCovered(name, spec.domains)) continue;
      const message = `${name} is not covered by the domains; write a name that is`;
      context.addIssue({ code: 'custom', path: ['probe', 'names', index], message });
    }
    for (const [index, { addresses }] of targets.entries()) {
      if (probe !== false || !addresses) continue;
      const message = 'are never probed, because "probe" is false; remove one of the two';
      context.addIssue({ code: 'custom', path: ['targets', index, 'addresses'], message });
    }
    const named = targets.map((target): TargetSpec => {
      return 'acm' in target ? target : { ...target, secret: target.secret ?? defaultSecret(spec.domains) };
    });
    return {
      ...spec,
      ...(rotateKey === 'never' ? { rotateKey } : {}),
      ...(probe === undefined ? {} : { probe }),
      ...(renewBefore === undefined ? {} : { renewBeforeMs: renewBefore }),
      targets: named,
    };
  });

const registrationTarget = mapping({
  ...locationFields,
  secret: secretTemplate
    .default('{name}-tls')
    .describe("Name of the Secret, with {name} in place of the certificate's name. Default: {name}-tls"),
  ...deliveryFields,
  ...secretFields,
  rollout,
  ...takeOverFields,
})
  .meta(secretRules)
  .superRefine(checkSecretFields);

const registration = mapping({
  zones: z
    .array(zone)
    .min(1, 'is empty; write the zones that requests may use, or leave out registration')
    .describe('Zones of the DNS names that requests may use: these names and all below them'),
  restarts: z
    .array(allowedRestart)
    .min(1, 'is empty; use e.g. [auto, none, Deployment/web], or leave out restarts')
    .optional()
    .describe(
      'Restarts that a request may name for a target: auto, needed, none, or workloads. Default: auto',
    ),
  github: z
    .boolean()
    .optional()
    .describe("true: also accept requests that are signed like GitHub's webhooks"),
  ...ordering,
  targets: z
    .array(z.union([registrationTarget, mapping(acmFields)]))
    .default([])
    .describe(
      'Where registered certificates are delivered. A request may name other Secrets in the same namespaces',
    ),
});

/** The schema of the whole file. Its output is a valid `Inventory` if
 *  `findCrossMistakes` also finds nothing. */
export const inventorySchema = mapping({
  issuers: z
    .record(referenceName, issuer)
    .default({})
    .describe('CAs to order from, each with a key of your choice'),
  clusters: z
    .record(referenceName, cluster)
    .default({})
    .describe('Kubernetes clusters, each with a key of your choice'),
  certificates: z.array(certificate).default([]).describe('Certificates to keep'),
  registration: registration
    .optional()
    .describe('What the webhook accepts. Default: it refuses every request'),
  discovery: discovery
    .optional()
    .describe('Which objects in clusters may request certificates. Default: none'),
  dns: dns.optional().describe('Access to hosted zones'),
  notifications: notifications
    .optional()
    .describe(
      'Channels that people are told through. Default: none, or the mail address of the parameter alarmEmail',
    ),
  tags: awsTags
    .optional()
    .describe(
      'Tags of your own, such as cost centres, for the AWS secrets of certificates that are made from now on: at most five',
    ),
  kmsKey: kmsKey
    .optional()
    .describe(
      'ARN of the KMS key of yours for the AWS secrets of certificates that are made from now on, in the region of the stack. Default: the key aws/secretsmanager',
    ),
}) satisfies z.ZodType<Inventory>;

/** Limit of targets in one request. */
const maxRequestedTargets = 100;

/** The schema of a registration request's body. It has no keys to take over Secrets, to set labels or
 *  annotations that other controllers act on, or to use a password of the operator. */
export const registrationBody = mapping({
  name: certificateName.optional(),
  domains,
  targets: z
    .array(
      mapping({
        ...locationFields,
        secret: secretTemplate.or(objectName).default('{name}-tls'),
        ...deliveryFields,
        restart: restartChoice.optional(),
        format: z.enum(pemFormats).default('tls'),
      }),
    )
    .max(maxRequestedTargets, `has more than ${maxRequestedTargets} entries; send fewer`)
    .optional(),
});

/** The name of a Secret if the target has none: `certs-` and the first domain, as in ployst's container. */
export function defaultSecret([primary = '']: readonly string[]): string {
  return `certs-${primary.startsWith('*.') ? 'wildcard.' : ''}${withoutWildcard(primary)}`;
}

/** The JSON Schema (draft 7) of the file, for editors. Text that ends with a newline. */
export function renderJsonSchema(): string {
  const schema = z.toJSONSchema(inventorySchema, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify({ ...schema, title: 'Certrelay inventory' }, undefined, 2)}\n`;
}
