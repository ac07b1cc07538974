// State on tags: one tag a field, `certrelay:<field>`, within what AWS allows in tags.
import { keyTypes } from '../../certificate/spec.ts';
import { specSources } from '../../certificate/stored.ts';
import type { ByCluster, CertificateState } from '../../state/state.ts';

/** Fields to write; `null` clears one, absent ones stay. */
export type StateChange = { readonly [K in keyof CertificateState]?: CertificateState[K] | null };

const keyPrefix = 'certrelay:';
const longestTagValue = 256;

const text = (value: string) => value;
const date = (value: string) => (instant.test(value) ? existing(value) : undefined);
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;
const count = (value: string) => (/^\d{1,9}$/.test(value) ? Number(value) : undefined);
const oneOf =
  <T extends string>(...known: readonly T[]) =>
  (value: string) =>
    known.find((one) => one === value);

/** The instant that a tag tells; `undefined` where it tells none. */
export const decodeInstant = date;

/** Fields that are a tag for each cluster: what stands before its name. Roles of agents go by these (infra/agent-role.yaml). */
const byCluster = { signatures: 'agent/', reports: 'agent-report/' } as const;

/** Fields whose tag is not called as they are. */
const tagNames: Readonly<Record<string, string>> = {
  tagsDisagree: 'tags-disagree',
  graceUntil: 'grace-until',
};

// By hand, not by a schema: at 10,000 certificates this is what a pass that finds nothing due does most. A tag that
// cannot be read is one that is not there: somebody changed it, and the certificate is the truth.
const fields = {
  version: text,
  names: text,
  issuer: text,
  profile: text,
  key: oneOf(...keyTypes),
  fingerprint: text,
  notBefore: date,
  notAfter: date,
  certificateId: text,
  windowStart: date,
  windowEnd: date,
  windowOf: text,
  explanationUrl: text,
  askAfter: date,
  source: oneOf(...specSources),
  place: text,
  domains: text,
  targets: text,
  order: text,
  orderFor: text,
  txt: text,
  orders: text,
  failures: count,
  error: text,
  nextAttempt: date,
  pausedSince: date,
  pauseReason: text,
  revoked: text,
  revoking: text,
  deployed: text,
  acm: text,
  deliveryHeld: text,
  resumed: text,
  served: text,
  notServedSince: date,
  probedAt: date,
  tagsDisagree: date,
  graceUntil: date,
} satisfies {
  readonly [K in Exclude<keyof CertificateState, keyof typeof byCluster>]-?: (
    value: string,
  ) => CertificateState[K];
};

/** Tags that make the change, by key. A cleared field is an empty tag, so that one call does it all; a value too long
 *  for one tag goes on in `<key>.1`, `<key>.2` …, each but the last ending in `=`. */
export function encodeState(change: StateChange): Readonly<Record<string, string>> {
  const tags: Record<string, string> = {};
  const { signatures, reports, ...single } = change;
  const named = [
    ...Object.entries(single).map(([field, value]) => [tagNames[field] ?? field, value] as const),
    ...Object.entries(signatures ?? {}).map(
      ([cluster, text]) => [byCluster.signatures + cluster, text] as const,
    ),
    ...Object.entries(reports ?? {}).map(([cluster, text]) => [byCluster.reports + cluster, text] as const),
  ];
  for (const [field, value] of named) {
    if (value === undefined) continue;
    const parts = split(encodeText(value instanceof Date ? value.toISOString() : String(value ?? '')));
    for (const [index, part] of parts.entries()) tags[tagKey(field, index)] = part;
  }
  return tags;
}

/** State that the tags of an AWS secret hold. Tags of others, and tags that cannot be read, are passed over. */
export function decodeState(tags: ReadonlyMap<string, string>): CertificateState {
  const found = Object.entries(fields).map(([field, read]) => {
    const value = decodeText(join(tagNames[field] ?? field, tags));
    return [field, value === undefined ? undefined : read(value)];
  });
  return {
    ...Object.fromEntries(found),
    signatures: readByCluster(byCluster.signatures, tags),
    reports: readByCluster(byCluster.reports, tags),
  };
}

/** `undefined` where no cluster has one, as most certificates are. */
function readByCluster(before: string, tags: ReadonlyMap<string, string>): ByCluster | undefined {
  const start = keyPrefix + before;
  const found: (readonly [string, string])[] = [];
  for (const key of tags.keys()) {
    // A dot is in no cluster's name: it stands before the number of a part.
    if (!key.startsWith(start) || key.includes('.', start.length)) continue;
    const value = decodeText(join(key.slice(keyPrefix.length), tags));
    if (value !== undefined) found.push([key.slice(start.length), value]);
  }
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** `Date` takes February 30 for March 2, and the 25th hour for no date at all. */
function existing(value: string): Date | undefined {
  const date = new Date(value);
  const isReal = !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 19) === value.slice(0, 19);
  return isReal ? date : undefined;
}

function tagKey(field: string, index: number): string {
  return index === 0 ? keyPrefix + field : `${keyPrefix}${field}.${index}`;
}

/** Bytes that AWS does not take in a tag, and `=` itself, as `=XX`. */
export function encodeText(value: string): string {
  return value.replace(/[^A-Za-z0-9+\-._:/@]/gu, (character) =>
    Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '=$&'),
  );
}

/** `undefined` for an empty text, and for one that `encodeText` did not make. */
export function decodeText(value: string): string | undefined {
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
