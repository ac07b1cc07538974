// Who a bearer token of EKS speaks for: its presigned GetCallerIdentity request, judged as EKS's webhook and
// STS do.
import { createHash, createHmac } from 'node:crypto';
import type { Caller, Sessions } from '../sts/sessions.ts';

/** Query parameters that the webhook lets pass. */
const known = new Set([
  'Action',
  'Version',
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
]);
/** DNS suffixes of AWS's partitions, by how their regions begin; all others have `amazonaws.com`. */
const suffixes = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
  ['us-isof-', 'csp.hci.ic.gov'],
] as const;

/** Where STS of a region is: EKS takes no other host. */
function suffixOf(region: string): string {
  return suffixes.find(([begin]) => region.startsWith(begin))?.[1] ?? 'amazonaws.com';
}

const lifetimeMs = 15 * 60_000;
const skewMs = 5 * 60_000;

/** The caller; `undefined` where the token is no such request, is for another cluster, is too old, or is not
 *  signed with the key that it names. */
export function identifyToken(
  token: string,
  cluster: string,
  sessions: Sessions,
  now: number,
): Caller | undefined {
  const [, encoded] = /^k8s-aws-v1\.([\w-]+)$/.exec(token) ?? [];
  if (encoded === undefined) return undefined;
  const url = URL.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
  if (url?.protocol !== 'https:' || url.pathname !== '/') return undefined;
  const [, region = '', suffix] = /^sts\.([a-z0-9-]+)\.([a-z0-9.-]+)$/.exec(url.host) ?? [];
  const query = url.searchParams;
  if (suffix !== suffixOf(region) || [...query.keys()].some((name) => !known.has(name))) return undefined;
  if (query.get('Action') !== 'GetCallerIdentity') return undefined;
  const expires = Number(query.get('X-Amz-Expires'));
  if (!(expires > 0 && expires <= 900)) return undefined;
  const age = now - readDate(query.get('X-Amz-Date'));
  if (!(age < lifetimeMs && age > -skewMs)) return undefined;
  const signed = query.get('X-Amz-SignedHeaders')?.split(';') ?? [];
  if (signed.join() !== 'host,x-k8s-aws-id') return undefined;
  const headers = { host: url.host, 'x-k8s-aws-id': cluster };
  const [accessKey = '', ...scope] = query.get('X-Amz-Credential')?.split('/') ?? [];
  const [day, of] = scope;
  if (scope.join('/') !== `${query.get('X-Amz-Date')?.slice(0, 8)}/${region}/sts/aws4_request`)
    return undefined;
  const key = sessions.keyOf(accessKey, query.get('X-Amz-Security-Token') ?? undefined);
  if (!key || day === undefined || of === undefined) return undefined;
  return sign(query, headers, scope, key.secretKey) === query.get('X-Amz-Signature') ? key.caller : undefined;
}

function readDate(text: string | null): number {
  return Date.parse((text ?? '').replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

/** The signature of a presigned GET ("Signature Version 4 signing process"). */
function sign(
  query: URLSearchParams,
  headers: Readonly<Record<string, string>>,
  scope: readonly string[],
  secretKey: string,
): string {
  const fields = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted();
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const request = [
    'GET',
    '/',
    fields.join('&'),
    lines.join(''),
    Object.keys(headers).join(';'),
    createHash('sha256').digest('hex'),
  ].join('\n');
  const digest = createHash('sha256').update(request).digest('hex');
  const text = ['AWS4-HMAC-SHA256', query.get('X-Amz-Date'), scope.join('/'), digest].join('\n');
  const key = scope.reduce<string | Buffer>((by, part) => hmac(by, part), `AWS4${secretKey}`);
  return hmac(key, text).toString('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
