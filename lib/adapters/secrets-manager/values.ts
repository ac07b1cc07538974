// Writes and parses the JSON values of AWS secrets; the same contents give the same bytes.
import * as z from 'zod';
import { weekdays, workloadKinds } from '../../certificate/rollout-spec.ts';
import { keyRoles, keyTypes, secretFormats } from '../../certificate/spec.ts';
import {
  type PendingOrder,
  type StoredCertificate,
  type StoredSpec,
  specSources,
} from '../../certificate/stored.ts';
import type { AcmeAccount } from '../../ports/accounts.ts';
import type { StoredValue } from '../../ports/store.ts';

const text = z.string().min(1);
const version = z.literal(1);

const workload = z.object({ kind: z.enum(workloadKinds), name: text });

const rollout = z.object({
  canary: workload.optional(),
  waves: z.int().positive(),
  deadlineMs: z.int().positive(),
  probe: z.boolean(),
  windows: z.array(
    z.object({
      days: z.array(z.enum(weekdays)),
      fromMinute: z.int(),
      toMinute: z.int(),
      timeZone: text,
    }),
  ),
});

const stringMap = z.record(z.string(), z.string()).optional();

const secretTarget = z.object({
  cluster: text,
  namespace: text,
  secret: text,
  format: z.enum(secretFormats),
  keys: z.partialRecord(z.enum(keyRoles), text).optional(),
  password: z.object({ secret: text }).optional(),
  labels: stringMap,
  annotations: stringMap,
  restart: z.union([z.enum(['auto', 'needed', 'none']), z.array(workload)]),
  restartStrategy: z.enum(['annotation', 'env']),
  adopt: z.boolean(),
  replace: z.boolean(),
  rollout: rollout.optional(),
});

const target = z.union([z.object({ acm: z.object({ region: text, arn: text.optional() }) }), secretTarget]);

const storedSpec: z.ZodType<StoredSpec> = z.object({
  name: text,
  domains: z.array(text).min(1),
  issuer: text,
  fallbackIssuers: z.array(text).optional(),
  key: z.enum(keyTypes),
  rotateKey: z.literal('never').optional(),
  renewBeforeMs: z.number().int().positive().optional(),
  targets: z.array(target),
  source: z.enum(specSources),
});

const certificateValue = z.object({
  version,
  'tls.crt': text,
  'tls.key': text,
  issuer: text,
  profile: text.optional(),
  // Without it the certificate is judged by its own names.
  requestedNames: z.array(text).optional().catch(undefined),
  spec: storedSpec.optional(),
});

const instant = z.iso.datetime().transform((isoText) => new Date(isoText));

const pendingValue = z.object({
  version,
  pending: z.object({
    key: text,
    keyType: z.enum(keyTypes),
    issuer: text,
    profile: text.optional(),
    domains: z.array(text).min(1),
    formerDomains: z.array(text).optional(),
    run: text,
    deadline: instant,
    unfinished: z.object({ orderUrl: text, since: instant }).optional(),
    unfetched: z.object({ orderUrl: text, since: instant }).optional(),
    spec: storedSpec.optional(),
  }),
});

const specificationValue = z.object({ version, spec: storedSpec.optional() });

const accountValue = z.object({
  version,
  directory: text,
  key: text,
  url: text.optional(),
  contact: z.array(z.string()),
  nextKey: text.optional(),
});

/** The value of a certificate with its private key. External Secrets Operator can read it too. */
export function writeCertificate({ chain, key, ...rest }: StoredCertificate): string {
  return write({ version: 1, 'tls.crt': chain, 'tls.key': key, ...rest });
}

/** The value of a first version, which has no certificate. `undefined`: the specification is in the inventory
 *  file. */
export function writeSpecification(spec: StoredSpec | undefined): string {
  return write({ version: 1, spec });
}

/** The value of a claim: the order that is under way. */
export function writePending(order: PendingOrder): string {
  return write({ version: 1, pending: order });
}

/** Parses the value of a version of a certificate's AWS secret. `json` is `undefined` for a binary value. A
 *  value that is not ours gives `unparsable`, with a problem that quotes nothing of it. Never throws. */
export function readValue(json: string | undefined): StoredValue {
  const value = parseJson(json);
  if (value === undefined) return { kind: 'unparsable', problem: 'the value is not a JSON object' };
  if ('pending' in value) {
    const { data, error } = pendingValue.safeParse(value);
    return data ? { kind: 'pending', order: data.pending } : unparsable(error);
  }
  if ('tls.crt' in value || 'tls.key' in value) {
    const { data, error } = certificateValue.safeParse(value);
    if (!data) return unparsable(error);
    const { version: _, 'tls.crt': chain, 'tls.key': key, ...rest } = data;
    return { kind: 'certificate', certificate: { chain, key, ...rest } };
  }
  const { data, error } = specificationValue.safeParse(value);
  return data ? { kind: 'specification', spec: data.spec } : unparsable(error);
}

/** The value of an ACME account. The directory URL is only for people who read the AWS secret. */
export function writeAccount(directory: string, account: AcmeAccount): string {
  return write({ version: 1, directory, ...account });
}

/** Parses the value of an ACME account; `undefined` if it is not one of ours. */
export function readAccount(json: string | undefined): AcmeAccount | undefined {
  const { data } = accountValue.safeParse(parseJson(json));
  return data && { key: data.key, url: data.url, contact: data.contact, nextKey: data.nextKey };
}

/** JSON with keys in alphabetical order: the same contents give the same bytes, so a repeated write is no
 *  change. */
function write(value: object): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}

function parseJson(json: string | undefined): object | undefined {
  try {
    const value: unknown = JSON.parse(json ?? '');
    return isObject(value) ? value : undefined;
  } catch {
    // The message of V8's error would quote the value.
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names the fields that are wrong, without their values. */
function unparsable(error: z.ZodError): StoredValue {
  const fields = error.issues.map(({ path, code }) => `${path.join('.') || 'the value'} (${code})`);
  return { kind: 'unparsable', problem: `not as Certrelay writes it: ${fields.join(', ')}` };
}
