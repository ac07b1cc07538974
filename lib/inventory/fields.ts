// The schemas of single fields: each parses, sets its default, and says what is wrong and what to write.
import * as z from 'zod';
import { awsRegionPattern } from '../certificate/aws-region.ts';
import { certificateNamePattern } from '../certificate/certificate-name.ts';
import { parseName } from '../certificate/name-parsing.ts';
import { findCovered, maxNames, withoutWildcard } from '../certificate/names.ts';
import { certificatesIn } from '../certificate/pem.ts';
import { parseCertificate } from '../certificate/x509.ts';
import {
  contactPattern,
  directoryPattern,
  domainPattern,
  domainsPattern,
  objectPattern,
  pemPattern,
  templatePattern,
  zonePattern,
} from './patterns.ts';
import { describeInput } from './problems.ts';

/** Let's Encrypt's directories. Staging is the default, so that production is a deliberate choice. */
const staging = 'https://acme-staging-v02.api.letsencrypt.org/directory';
const production = 'https://acme-v02.api.letsencrypt.org/directory';
const shortcuts: ReadonlyMap<string, string> = new Map([
  ['letsencrypt-staging', staging],
  ['staging', staging],
  ['letsencrypt', production],
  ['production', production],
]);

/** A mapping with these keys. Any other key is a mistake, whose message lists the known keys. */
export function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? `is not a known key; known keys: ${known}` : undefined,
  });
}

/** Name of a certificate. It becomes part of the name of its AWS secret. */
export const certificateName = z
  .string()
  .regex(certificateNamePattern, 'is not a certificate name; use up to 63 of a-z, 0-9 and inner hyphens');

/** Name of an AWS region. @param example A name for the message about a mistake. */
export const awsRegion = (example: string) =>
  z.string().regex(awsRegionPattern, `is not an AWS region; use e.g. ${example}`);

/** Key of an issuer or a cluster. The rest of the file refers to it by this key. */
export const referenceName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'is not a valid name; use up to 63 letters, digits, - and _');

const domainList = z.array(z.string().meta({ pattern: domainPattern })).meta({ minItems: 1 });

/** DNS names, as a list or as one text separated by spaces. In lower case and punycode, without repeats. */
export const domains = z
  .union([z.string().meta({ pattern: domainsPattern }), domainList], {
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
      context.addIssue({ code: 'custom', message: 'has no name; write at least one DNS name' });
    if (unique.length > maxNames) {
      const message = `has ${unique.length} names; the limit for a certificate is ${maxNames}, so split it into several`;
      context.addIssue({ code: 'custom', message });
    }
    for (const { wildcard, name } of findCovered(unique)) {
      const message = `has both ${name} and ${wildcard}, which covers it; CAs refuse that, so remove one of the two`;
      context.addIssue({ code: 'custom', message });
    }
    return unique;
  });

/** A DNS zone: one DNS name that is not a wildcard. */
export const zone = z
  .string()
  .meta({ pattern: zonePattern })
  .transform((text, context) => {
    const parsed = parseName(text);
    if ('name' in parsed && !parsed.name.startsWith('*.')) return parsed.name;
    const message =
      'name' in parsed ? `is a wildcard; write ${withoutWildcard(parsed.name)}` : parsed.problem;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** Kubernetes namespace (RFC 1123 label). */
export const namespace = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'is not a namespace; use up to 63 of a-z, 0-9 and inner hyphens',
  )
  .default('default');

/** Characters of such a name. */
export const maxObjectName = 253;

/** Name of a Kubernetes object (RFC 1123 subdomain). */
export const objectName = z
  .string()
  .meta({ pattern: objectPattern, maxLength: maxObjectName })
  .refine(isObjectName, { error: explainObjectName });

/** A Secret's name with `{name}` in place of the certificate's name. It
 *  must be valid for every certificate name. */
export const secretTemplate = z
  .string()
  .meta({ pattern: templatePattern, maxLength: maxObjectName })
  .refine((text) => isObjectName(text.replaceAll('{name}', 'n'.repeat(63))), { error: explainObjectName })
  .refine((text) => text.includes('{name}'), {
    message:
      'has no {name}, so all registered certificates would write the same Secret; use e.g. "{name}-tls"',
  });

/** ACME directory, as an https URL without a slash at its end. Accepts shortcuts such as `letsencrypt`. */
export const directory = z
  .string()
  .meta({ pattern: directoryPattern([...shortcuts.keys()]) })
  .transform((text, context) => {
    const url = shortcuts.get(text) ?? text;
    const parsed = URL.parse(url);
    if (parsed?.protocol === 'https:' && !parsed.username && !isRetired(parsed.hostname)) {
      return parsed.href.replace(/(?<!\/)\/+$/, '');
    }
    const advice = `use one of ${[...shortcuts.keys()].join(', ')}, or an https URL`;
    const wrong =
      parsed && isRetired(parsed.hostname) ? 'was switched off by its CA' : 'is not an ACME directory';
    context.addIssue({ code: 'custom', message: `${describeInput(text)} ${wrong}; ${advice}` });
    return z.NEVER;
  })
  .prefault('letsencrypt-staging');

/** A mail address for the CA, with or without `mailto:` (RFC 8555 §7.3).
 *  Parsed to `mailto:` in lower case. */
export const contact = z
  .string()
  .meta({ pattern: contactPattern })
  .transform((text, context) => {
    const [, local = '', host = ''] = /^(?:mailto:)?([^\s@,?]{1,64})@([^\s@,?]+)$/i.exec(text) ?? [];
    const parsed = parseName(host);
    if ('name' in parsed && !parsed.name.startsWith('*.'))
      return `mailto:${local}@${parsed.name}`.toLowerCase();
    context.addIssue({
      code: 'custom',
      message: `${describeInput(text)} is not a contact; use e.g. mailto:ops@example.com`,
    });
    return z.NEVER;
  });

/** Name of an AWS secret; it may begin with `{prefix}/` (prefix.ts). @param example A name for the message
 *  about a mistake. */
export function awsSecret(example: string) {
  const form = `"{prefix}/${example.replace(/^certrelay\//, '')}"`;
  return z
    .string({
      error: ({ input }) =>
        // YAML reads {prefix} without quotes as a mapping.
        typeof input === 'object' && input !== null
          ? `is ${describeInput(input)}; write the name of an AWS secret in quotes, such as ${form}`
          : undefined,
    })
    .regex(
      /^(\{prefix\}\/)?[\w/+=.@-]{1,512}$/,
      `is not the name of an AWS secret; use e.g. ${form}, with the quotes`,
    );
}

/** Common name of a certificate authority, up to 64 characters (RFC 5280, appendix A.1). */
export const commonName = z
  .string()
  .regex(/^[^\r\n]{1,64}$/, 'is not a common name; write that of a root certificate, e.g. ISRG Root X1');

/** One or more certificates in PEM form. */
export const pemText = z
  .string()
  .meta({ pattern: pemPattern })
  .refine(isPem, 'is not a PEM certificate; paste the CA certificate, or write { file: … }');

/** A file to read the value from. */
export const file = mapping({
  file: z.string().min(1, 'is empty; write the path of a file').describe('Path of the file'),
});

/** A duration such as `30d` or `12h`, parsed to milliseconds. */
export const duration = z
  .string({ error: ({ input }) => `is ${describeInput(input)}; use a number and a unit, such as 30d or 12h` })
  .regex(/^[1-9][0-9]{0,4}[dh]$/, 'is not a duration; use a number and a unit, such as 30d or 12h')
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('d') ? dayMs : hourMs));

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The text for a duration in milliseconds, such as `30d`. Parts of an hour are dropped; `duration` never
 *  parses any. */
export function formatDuration(ms: number): string {
  return ms % dayMs === 0 ? `${ms / dayMs}d` : `${Math.floor(ms / hourMs)}h`;
}

/** Whether a text is an RFC 1123 subdomain. */
export function isObjectName(text: string): boolean {
  const label = '[a-z0-9]([a-z0-9-]*[a-z0-9])?';
  return text.length <= maxObjectName && new RegExp(`^${label}(\\.${label})*$`).test(text);
}

function explainObjectName({ input }: { readonly input?: unknown }): string {
  const advice = `use up to ${maxObjectName} of a-z, 0-9, inner hyphens and dots`;
  return `${describeInput(input)} is not a Kubernetes name; ${advice}`;
}

/** Hosts of ACME v1, and a staging host that many old articles name. */
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
