// State on tags: one tag a field, `certrelay:<field>`, within what AWS allows in tags.
import * as z from 'zod';
import { keyTypes } from '../certificate/spec.ts';
import type { CertificateState } from '../policy/state.ts';

/** Fields to write; `null` clears one, absent ones stay. */
export type StateChange = { readonly [K in keyof CertificateState]?: CertificateState[K] | null };

const keyPrefix = 'certrelay:';
const longestTagValue = 256;

// A tag that cannot be read is one that is not there: somebody changed it by hand, and the certificate is the truth.
const text = z.string().optional().catch(undefined);
const date = z.iso
  .datetime()
  .transform((instant) => new Date(instant))
  .pipe(z.date())
  .optional()
  .catch(undefined);
const count = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
  .optional()
  .catch(undefined);

const fields = z.object({
  version: text,
  names: text,
  issuer: text,
  profile: text,
  key: z.enum(keyTypes).optional().catch(undefined),
  fingerprint: text,
  notBefore: date,
  notAfter: date,
  certificateId: text,
  windowStart: date,
  windowEnd: date,
  askAfter: date,
  source: z.literal('registration').optional().catch(undefined),
  targets: text,
  order: text,
  orderFor: text,
  orders: text,
  failures: count,
  error: text,
  nextAttempt: date,
  pausedSince: date,
  pauseReason: text,
  revoked: text,
  revoking: text,
  deployed: text,
} satisfies Record<keyof CertificateState, z.ZodType>);

/** Tags that make the change, by key. A cleared field is an empty tag, so that one call does it all; a value too long
 *  for one tag goes on in `<key>.1`, `<key>.2` …, each but the last ending in `=`. */
export function encodeState(change: StateChange): Readonly<Record<string, string>> {
  const tags: Record<string, string> = {};
  for (const [field, value] of Object.entries(change)) {
    if (value === undefined) continue;
    const parts = split(escapeText(value instanceof Date ? value.toISOString() : String(value ?? '')));
    for (const [index, part] of parts.entries()) tags[tagKey(field, index)] = part;
  }
  return tags;
}

/** State that the tags of an AWS secret hold. Tags of others, and tags that cannot be read, are passed over. */
export function decodeState(tags: ReadonlyMap<string, string>): CertificateState {
  const found: Record<string, string | undefined> = {};
  for (const field of Object.keys(fields.shape)) found[field] = unescapeText(join(field, tags));
  return fields.parse(found);
}

function tagKey(field: string, index: number): string {
  return index === 0 ? keyPrefix + field : `${keyPrefix}${field}.${index}`;
}

/** Bytes that AWS does not take, and `=` itself, as `=XX`. */
function escapeText(value: string): string {
  return value.replace(/[^A-Za-z0-9+\-._:/@]/gu, (character) =>
    Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '=$&'),
  );
}

function unescapeText(value: string): string | undefined {
  try {
    return decodeURIComponent(value.replaceAll('%', '%25').replace(/=([0-9A-F]{2})/g, '%$1')) || undefined;
  } catch {
    return undefined;
  }
}

function split(value: string): readonly string[] {
  const parts: string[] = [];
  let rest = value;
  while (rest.length > longestTagValue) {
    parts.push(`${rest.slice(0, longestTagValue - 1)}=`);
    rest = rest.slice(longestTagValue - 1);
  }
  return [...parts, rest];
}

/** Reads on only while a part says that it goes on: parts left over from a longer value do not count. Empty where one
 *  is missing. */
function join(field: string, tags: ReadonlyMap<string, string>): string {
  let value = '';
  for (let index = 0; ; index += 1) {
    const part = tags.get(tagKey(field, index));
    if (part === undefined) return '';
    if (!part.endsWith('=')) return value + part;
    value += part.slice(0, -1);
  }
}
