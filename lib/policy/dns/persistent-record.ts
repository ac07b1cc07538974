// The TXT value that stays in DNS and proves a name for each order: dns-persist-01, in both drafts of it.
import { createHash } from 'node:crypto';
import { withoutWildcard } from '../../certificate/names.ts';

/** An ACME account, as records name it. */
export interface ProvingAccount {
  /** URL of the account, exactly as the CA gave it. */
  readonly url: string;
  /** Thumbprint of the account's key (RFC 7638): 43 characters of base64url. */
  readonly thumbprint: string;
}

/** The account URI of a record (draft-ietf-acme-dns-persist-02): `<prefix>sha-256/<digest>`, which says
 *  neither the account nor its key.
 *  @param prefix `accountHashPrefix` of the CA's directory.
 *  @param domain The name that is proved, with or without `*.`; `*` for the value that proves every name. */
export function hashedAccountUri(
  prefix: string,
  domain: string,
  { url, thumbprint }: ProvingAccount,
): string {
  const name = domain === '*' ? domain : withoutWildcard(domain);
  const input = Buffer.concat([Buffer.of(name.length), Buffer.from(name + thumbprint + url)]);
  return `${prefix}sha-256/${createHash('sha256').update(input).digest('base64url')}`;
}

/** The value of a record: the CA's name for itself, the account, and for a wildcard the policy. */
export function persistentValue(issuer: string, accountUri: string, isWildcard: boolean): string {
  return `${issuer}; accounturi=${accountUri}${isWildcard ? '; policy=wildcard' : ''}`;
}

/** Whether a TXT value has exactly the form of `persistentValue`, for one of these account URIs. Values with
 *  other parameters, such as `persistUntil`, are somebody's own. */
export function namesAccount(text: string, accountUris: ReadonlySet<string>): boolean {
  const uri = /^[^;\s]+; accounturi=([^;\s]+)(?:; policy=wildcard)?$/.exec(text)?.[1];
  return uri !== undefined && accountUris.has(uri);
}

/** The account URIs by which a record of `domain` names the account to its CA: of the newer draft, the hash
 *  for the domain and that for every domain, by the account's key of today; of the older one, the account's
 *  URL.
 *  @param prefix `accountHashPrefix` of the CA's directory. Absent: the CA is of the older draft, to which no
 *  hash says anything, and the URL says nothing to the newer one. */
export function provingUris(
  domain: string,
  account: ProvingAccount,
  prefix: string | undefined,
): readonly string[] {
  if (prefix === undefined) return [account.url];
  return [domain, '*'].map((name) => hashedAccountUri(prefix, name, account));
}

/** Whether a TXT value at the persistent name of `domain` proves it to the CA: it names one of `issuers` (any
 *  if empty; in lower case) and one of `accountUris`, has the policy if the name is a wildcard, and has not
 *  ended. A value that has a parameter twice, or one that cannot be read, proves nothing. */
export function provesDomain(
  text: string,
  domain: string,
  {
    issuers,
    accountUris,
    now,
  }: {
    readonly issuers: readonly string[];
    readonly accountUris: readonly string[];
    readonly now: Date;
  },
): boolean {
  const [issuer = '', ...parts] = text.split(';').map((part) => part.trim());
  const pairs = parts.map((part) => /^([A-Za-z0-9-]+)\s*=\s*([\x21-\x3a\x3c-\x7e]*)$/.exec(part));
  const parameters = new Map(pairs.map((pair) => [pair?.[1]?.toLowerCase(), pair?.[2] ?? '']));
  if (pairs.includes(null) || parameters.size < pairs.length) return false;
  if (issuers.length > 0 && !issuers.includes(issuer.toLowerCase())) return false;
  if (domain.startsWith('*.') && parameters.get('policy')?.toLowerCase() !== 'wildcard') return false;
  const until = parameters.get('persistuntil');
  if (until !== undefined && !(Number(until) * 1_000 > now.getTime())) return false;
  return accountUris.includes(parameters.get('accounturi') ?? '');
}
