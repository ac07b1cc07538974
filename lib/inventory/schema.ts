// The form of `infra/certificates.yaml`: which keys may stand where, and what is meant where one is absent. Descriptions
// reach the JSON Schema, so that editors show them.
import * as z from 'zod';
import { isCovered, withoutWildcard } from '../certificate/names.ts';
import {
  type CertificateSpec,
  challengeTypes,
  type Inventory,
  pemFormats,
  secretFormats,
  type TargetSpec,
} from '../certificate/spec.ts';
import { cluster } from './cluster-fields.ts';
import { discovery } from './discovery-fields.ts';
import {
  allowedRestart,
  awsSecret,
  certificateName,
  commonName,
  contact,
  directory,
  domains,
  externalId,
  file,
  mapping,
  namespace,
  objectName,
  pemText,
  referenceName,
  restart,
  restartChoice,
  roleArn,
  secretTemplate,
  span,
  zone,
} from './fields.ts';
import { caaIdentity, ordering } from './order-fields.ts';
import { probe, whereServed } from './probe-fields.ts';
import { describeInput } from './problems.ts';
import { rollout } from './rollout-fields.ts';
import { acmPlace, checkDetails, secretDetails } from './target-fields.ts';

const issuer = mapping({
  directory: directory.describe('letsencrypt-staging, letsencrypt, or the https URL of an ACME directory'),
  contact: z.array(contact).default([]).describe('Mail addresses the CA may write to'),
  agreeToTerms: z
    .literal(true, {
      error: ({ input }) => `is ${describeInput(input)}; write true once you have read the terms of the CA`,
    })
    .describe("That you have read the CA's terms"),
  profile: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'is no profile name; write one that the CA lists, such as tlsserver')
    .optional()
    .describe('Profile to order under, as the directory lists it'),
  eab: mapping({ secret: awsSecret('certrelay/eab/acm') })
    .optional()
    .describe('External account binding: the AWS secret that holds {"kid": …, "hmacKey": …} from the CA'),
  preferredChain: commonName
    .optional()
    .describe("Of the CA's chains, the one whose topmost certificate has an issuer of this common name"),
  caBundle: z
    .union([pemText, file])
    .optional()
    .describe("PEM to trust for the directory's own TLS, or a file of it"),
  challenge: z
    .enum(challengeTypes)
    .optional()
    .describe(
      'dns-persist-01: one TXT record that stays serves all orders, where the CA offers that; dns-01 where absent',
    ),
  caaIdentity: caaIdentity
    .optional()
    .describe(
      "The CA's name in CAA and dns-persist-01 records, or a list: only for a CA whose name is not of the domain of its directory",
    ),
  attempts: z
    .int('is no number of attempts; write a whole number such as 3')
    .min(1, 'is less than 1; write at least 1')
    .max(100, 'is more than 100; write at most 100')
    .optional()
    .describe('Failures in a row after which the next of fallbackIssuers is tried; 3 where absent'),
  rehearsal: z
    .string()
    .optional()
    .describe(
      'A key of issuers, of a CA for tests: it validates the names again after a failure, before this one is asked',
    ),
  onlyFor: z
    .array(z.string())
    .min(1, 'is empty; write the places, or leave out onlyFor')
    .optional()
    .describe('Clusters, or cluster/namespace, that its certificates may go to; absent: all'),
});

const targetPlace = {
  cluster: z.string().describe('A key of clusters'),
  namespace,
};
const targetUse = {
  format: z.enum(secretFormats).default('tls').describe('Which keys the Secret holds'),
  restart: restart.describe(
    'auto: the workloads that use the Secret; needed: those that do not see new values by themselves; none; or a list such as [Deployment/web]',
  ),
  restartStrategy: z
    .enum(['annotation', 'env'])
    .default('annotation')
    .describe('What is patched in pod templates; env sets LETSENCRYPT_CERT_REFRESH'),
};
const takingOver = {
  adopt: z.boolean().default(false).describe('Take over a Secret that is not managed here yet'),
  replace: z.boolean().default(false).describe('Delete and create again a Secret of another type'),
};

const secretTarget = mapping({
  ...targetPlace,
  secret: objectName.optional().describe('certs-<first domain> where absent'),
  ...targetUse,
  ...secretDetails,
  rollout,
  ...takingOver,
  ...whereServed,
}).superRefine(checkDetails);
const acmTarget = mapping({ ...acmPlace, ...whereServed });

const certificate = mapping({
  name: certificateName.describe('Unique; names the AWS secret'),
  domains: domains.describe('DNS names, the first is the primary; wildcards in quotes'),
  ...ordering,
  rotateKey: z.enum(['always', 'never']).default('always').describe('never: renewals keep the private key'),
  renewBefore: span
    .optional()
    .describe('Such as 30d or 12h before the end; where absent, the CA or the lifetime decides'),
  probe,
  targets: z.array(z.union([secretTarget, acmTarget])).default([]),
}).transform(({ renewBefore, rotateKey, targets, probe: look, ...spec }, context): CertificateSpec => {
  for (const [index, name] of (look ? (look.names ?? []) : []).entries()) {
    if (isCovered(name, spec.domains)) continue;
    const message = `${name} is not covered by the domains; write one that is`;
    context.addIssue({ code: 'custom', path: ['probe', 'names', index], message });
  }
  for (const [index, { addresses }] of targets.entries()) {
    if (look !== false || !addresses) continue;
    const message = 'are never looked at where "probe" is false; leave out one of the two';
    context.addIssue({ code: 'custom', path: ['targets', index, 'addresses'], message });
  }
  const named = targets.map((one): TargetSpec => {
    return 'acm' in one ? one : { ...one, secret: one.secret ?? defaultSecret(spec.domains) };
  });
  return {
    ...spec,
    ...(rotateKey === 'never' ? { rotateKey } : {}),
    ...(look === undefined ? {} : { probe: look }),
    ...(renewBefore === undefined ? {} : { renewBeforeMs: renewBefore }),
    targets: named,
  };
});

const registrationTarget = mapping({
  ...targetPlace,
  secret: secretTemplate.default('{name}-tls'),
  ...targetUse,
  ...secretDetails,
  rollout,
  ...takingOver,
}).superRefine(checkDetails);

const registration = mapping({
  zones: z.array(zone).min(1, 'is empty; write the zones that may be asked for, or leave out registration'),
  restarts: z
    .array(allowedRestart)
    .min(1, 'is empty; write such as [auto, none, Deployment/web], or leave out restarts')
    .optional()
    .describe(
      'Which restart a sender may name for a target: auto, needed, none, workloads; auto alone where absent',
    ),
  github: z.boolean().optional().describe("true: requests may be signed as GitHub's webhooks are, too"),
  ...ordering,
  targets: z.array(z.union([registrationTarget, mapping(acmPlace)])).default([]),
});

const zoneAccess = mapping({
  match: zone.describe('The names whose hosted zones the role reaches: this one and all below it'),
  roleArn: roleArn.describe('Role of another AWS account, made from infra/dns-role.yaml there'),
  externalId: externalId.optional().describe("What the role's trust policy asks for as sts:ExternalId"),
});

const dns = mapping({
  delegationZone: zone
    .optional()
    .describe('Hosted zone of yours that others lead their _acme-challenge names into by CNAME'),
  zones: z
    .array(zoneAccess)
    .optional()
    .describe('Hosted zones in other AWS accounts: which role reaches those of which names'),
  preflight: z
    .boolean()
    .optional()
    .describe('false: order without a look at delegation, CNAMEs and CAA first'),
});

/** The whole file; its output is an `Inventory` but for what `findCrossMistakes` sees. */
export const inventorySchema = mapping({
  issuers: z.record(referenceName, issuer).default({}),
  clusters: z.record(referenceName, cluster).default({}),
  certificates: z.array(certificate).default([]),
  registration: registration.optional(),
  discovery: discovery.optional(),
  dns: dns.optional(),
}) satisfies z.ZodType<Inventory>;

/** Targets that one request may ask for. */
const maxAskedTargets = 100;

/** Body of a registration request. What takes over Secrets of others cannot be asked for from outside, nor what other
 *  controllers may act on, nor a password of the operator's. */
export const registrationBody = mapping({
  name: certificateName.optional(),
  domains,
  targets: z
    .array(
      mapping({
        ...targetPlace,
        secret: secretTemplate.or(objectName).default('{name}-tls'),
        ...targetUse,
        restart: restartChoice.optional(),
        format: z.enum(pemFormats).default('tls'),
      }),
    )
    .max(maxAskedTargets, `are more than ${maxAskedTargets}; ask for fewer`)
    .optional(),
});

/** Name of a Secret for which the target has none: `certs-` and the first domain, as ployst's container had it. */
export function defaultSecret([primary = '']: readonly string[]): string {
  return `certs-${primary.startsWith('*.') ? 'wildcard.' : ''}${withoutWildcard(primary)}`;
}

/** JSON Schema (draft 7) of the file for editors, as text with a newline at its end. */
export function renderJsonSchema(): string {
  const schema = z.toJSONSchema(inventorySchema, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify({ ...schema, title: 'Certrelay inventory' }, undefined, 2)}\n`;
}
