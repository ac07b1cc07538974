// The single fields that a user writes: each parses, gives its default, and says what would be right.

import * as z from 'zod';
import { awsRegionPattern } from '../certificate/aws-region.ts';
import { certificateNamePattern } from '../certificate/certificate-name.ts';
import { parseName } from '../certificate/name-parsing.ts';
import { findCovered, maxNames, withoutWildcard } from '../certificate/names.ts';
import { certificatesIn } from '../certificate/pem.ts';
import { type WorkloadReference, workloadKinds } from '../certificate/spec.ts';
import { parseCertificate } from '../certificate/x509.ts';
import { describeInput } from './problems.ts';

/** Let's Encrypt's directories; the first is the default, so that production is a choice. */
const staging = 'https://acme-staging-v02.api.letsencrypt.org/directory';
const production = 'https://acme-v02.api.letsencrypt.org/directory';
const shortcuts: ReadonlyMap<string, string> = new Map([
  ['letsencrypt-staging', staging],
  ['staging', staging],
  ['letsencrypt', production],
  ['production', production],
]);

/** A mapping in which any other key is a mistake that names the keys there are. */
export function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? `is not a known key; known here: ${known}` : undefined,
  });
}

/** Name of a certificate: it becomes part of AWS secret names. */
export const certificateName = z
  .string()
  .regex(certificateNamePattern, 'is no certificate name; write up to 63 of a-z, 0-9 and inner hyphens');

/** Region of AWS. @param example A region that would be right. */
export const awsRegion = (example: string) =>
  z.string().regex(awsRegionPattern, `is no AWS region; write such as ${example}`);

/** Key of an issuer or a cluster, by which the rest of the file refers to it. */
export const referenceName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'is no name; write up to 63 of letters, digits, - and _');

/** DNS names as a list or in one text with spaces between; without repeats. */
export const domains = z
  .union([z.string(), z.array(z.string())], {
    error: ({ input }) => `is ${describeInput(input)}; write a list of DNS names`,
  })
  .transform((input, context): readonly string[] => {
    const isText = typeof input === 'string';
    const texts = isText ? input.split(/\s+/).filter((text) => text !== '') : input;
    const names = texts.flatMap((text, index) => {
      const parsed = parseName(text);
      if ('name' in parsed) return [parsed.name];
      context.addIssue({ code: 'custom', path: isText ? [] : [index], message: parsed.problem });
      return [];
    });
    const unique = [...new Set(names)];
    if (texts.length === 0)
      context.addIssue({ code: 'custom', message: 'holds no name; write at least one DNS name' });
    if (unique.length > maxNames) {
      const message = `holds ${unique.length} names; a certificate has ${maxNames} at most, so make two of it`;
      context.addIssue({ code: 'custom', message });
    }
    for (const { wildcard, name } of findCovered(unique)) {
      const message = `holds ${name} beside ${wildcard}, which covers it; a CA refuses both together, so leave out one`;
      context.addIssue({ code: 'custom', message });
    }
    return unique;
  });

/** One DNS name below which others may be asked for. */
export const zone = z.string().transform((text, context) => {
  const parsed = parseName(text);
  if ('name' in parsed && !parsed.name.startsWith('*.')) return parsed.name;
  const message = 'name' in parsed ? `is a wildcard; write ${withoutWildcard(parsed.name)}` : parsed.problem;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** Kubernetes namespace (RFC 1123 label). */
export const namespace = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'is no namespace; write up to 63 of a-z, 0-9 and inner hyphens',
  )
  .default('default');

const maxObjectName = 253;

/** Name of a Kubernetes object (RFC 1123 subdomain). */
export const objectName = z.string().refine(isObjectName, { error: explainObjectName });

/** A Secret's name in which `{name}` stands for the certificate's: what is left must be a name for any certificate. */
export const secretTemplate = z
  .string()
  .refine((text) => isObjectName(text.replaceAll('{name}', 'n'.repeat(63))), { error: explainObjectName })
  .refine((text) => text.includes('{name}'), {
    message:
      'has no {name}, so all registered certificates would write the same Secret; write such as "{name}-tls"',
  });

/** One workload: `Deployment/web` or `{kind, name}`. */
export const workload = z.union(
  [
    z.string().transform((text, context) => {
      const [kind = '', name = '', ...others] = text.split('/');
      return others.length === 0 ? readWorkload(kind, name, context) : readWorkload(text, '', context);
    }),
    mapping({ kind: z.string(), name: z.string() }).transform(({ kind, name }, context) =>
      readWorkload(kind, name, context),
    ),
  ],
  { error: ({ input }) => `is ${describeInput(input)}; write such as Deployment/web` },
);

/** What is rolled when the certificate changes; an empty list is `none`. */
export const restartChoice = z
  .union([z.enum(['auto', 'needed', 'none']), z.array(workload)], {
    error: ({ input }) =>
      `is ${describeInput(input)}; write auto, needed, none, or a list such as [Deployment/web]`,
  })
  .transform((value) => (typeof value === 'string' || value.length > 0 ? value : 'none'));
export const restart = restartChoice.default('auto');

/** One thing that others may ask to be restarted. */
export const allowedRestart = z.union([z.enum(['auto', 'needed', 'none']), workload], {
  error: ({ input }) => `is ${describeInput(input)}; write auto, needed, none, or such as Deployment/web`,
});

/** ACME directory: a shortcut or an https URL. */
export const directory = z
  .string()
  .transform((text, context) => {
    const url = shortcuts.get(text) ?? text;
    const parsed = URL.parse(url);
    if (parsed?.protocol === 'https:' && !parsed.username && !isRetired(parsed.hostname)) {
      return parsed.href.replace(/(?<!\/)\/+$/, '');
    }
    const right = `write one of ${[...shortcuts.keys()].join(', ')}, or an https URL`;
    const wrong =
      parsed && isRetired(parsed.hostname) ? 'was switched off by its CA' : 'is no ACME directory';
    context.addIssue({ code: 'custom', message: `${describeInput(text)} ${wrong}; ${right}` });
    return z.NEVER;
  })
  .prefault('letsencrypt-staging');

/** A contact that the CA may write to: a mail address, with or without `mailto:` (RFC 8555 §7.3). */
export const contact = z.string().transform((text, context) => {
  const [, local = '', host = ''] = /^(?:mailto:)?([^\s@,?]{1,64})@([^\s@,?]+)$/i.exec(text) ?? [];
  const parsed = parseName(host);
  if ('name' in parsed && !parsed.name.startsWith('*.'))
    return `mailto:${local}@${parsed.name}`.toLowerCase();
  context.addIssue({
    code: 'custom',
    message: `${describeInput(text)} is no contact; write such as mailto:ops@example.com`,
  });
  return z.NEVER;
});

/** ARN of an IAM role, without a pattern in it: it becomes the resource of an IAM statement. */
export const roleArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/,
    'is no ARN of an IAM role; write such as arn:aws:iam::210987654321:role/certrelay-dns',
  );

/** External id, as STS takes it. */
export const externalId = z
  .string({ error: ({ input }) => `is ${describeInput(input)}; write text, a number in quotes` })
  .regex(/^[\w+=,.@:/-]{2,1224}$/, 'is no external id; write 2 or more of letters, digits and _+=,.@:/-');

/** Name of an AWS secret; `example` is what a mistake suggests. */
export function awsSecret(example: string) {
  return z.string().regex(/^[\w/+=.@-]{1,512}$/, `is no name of an AWS secret; write such as ${example}`);
}

/** Common name of a certificate authority, up to 64 characters (RFC 5280, appendix A.1). */
export const commonName = z
  .string()
  .regex(/^[^\r\n]{1,64}$/, 'is no common name; write the one of a root certificate, such as ISRG Root X1');

/** PEM certificates in the text itself. */
export const pemText = z
  .string()
  .refine(isPem, 'is no PEM certificate; paste the CA certificate, or write { file: … }');

/** What is read from a file instead. */
export const file = mapping({ file: z.string().min(1, 'is empty; write the path of a file') });

/** A span such as `30d` or `12h`, in milliseconds. */
export const span = z
  .string({ error: ({ input }) => `is ${describeInput(input)}; write text such as 30d or 12h` })
  .regex(/^[1-9][0-9]{0,4}[dh]$/, 'is no span of time; write such as 30d or 12h')
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('d') ? dayMs : hourMs));

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Text for `span`; whole hours only, as `span` gives them. */
export function formatSpan(ms: number): string {
  return ms % dayMs === 0 ? `${ms / dayMs}d` : `${Math.floor(ms / hourMs)}h`;
}

function isObjectName(text: string): boolean {
  const label = '[a-z0-9]([a-z0-9-]*[a-z0-9])?';
  return text.length <= maxObjectName && new RegExp(`^${label}(\\.${label})*$`).test(text);
}

function explainObjectName({ input }: { readonly input?: unknown }): string {
  const right = `write up to ${maxObjectName} of a-z, 0-9, inner hyphens and dots`;
  return `${describeInput(input)} is no name in Kubernetes; ${right}`;
}

function readWorkload(kind: string, name: string, context: z.RefinementCtx): WorkloadReference {
  const known = workloadKinds.find((one) => one === kind);
  if (known !== undefined && isObjectName(name)) return { kind: known, name };
  const right = `write one of ${workloadKinds.map((one) => `${one}/…`).join(', ')}`;
  const message =
    kind === 'ReplicationController'
      ? `a ReplicationController cannot be rolled; convert ${describeInput(name)} to a Deployment`
      : `${describeInput(name === '' ? kind : `${kind}/${name}`)} is no workload that can be rolled; ${right}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

/** ACME v1 hosts and the staging host of many old articles. */
function isRetired(host: string): boolean {
  return /^acme-(v01|staging(?!-v02)).*\.letsencrypt\.org$/.test(host);
}

function isPem(text: string): boolean {
  try {
    return certificatesIn(text).length > 0 && parseCertificate(text).raw.length > 0;
  } catch {
    return false;
  }
}
