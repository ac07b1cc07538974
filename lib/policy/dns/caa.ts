// Decides whether CAA records allow a CA to issue (RFC 8659), to our account and by our challenge (RFC 8657).
import type { ChallengeType } from '../../certificate/spec.ts';

/** One CAA record (RFC 8659 §4.1). */
export interface CaaRecord {
  readonly flags: number;
  /** Lower case, such as `issue`, `issuewild` or `iodef`. */
  readonly tag: string;
  readonly value: string;
}

/** The CA, account and challenges that CAA records must allow. */
export interface CaaSubject {
  /** The directory's `caaIdentities` (RFC 8555 §7.1.1); empty if the CA does not publish any. */
  readonly identities: readonly string[];
  /** URL of the account that orders. If absent (no account yet), `accounturi` of one account is not
   *  checked. */
  readonly accountUrl?: string | undefined;
  /** Thumbprint of the account's key (RFC 7638), for records of dns-persist-01. */
  readonly thumbprint?: string | undefined;
  /** What hashes of accounts begin with in such records (draft-ietf-acme-dns-persist-02). Absent: the CA
   *  knows the older draft alone. */
  readonly accountHashPrefix?: string | undefined;
  /** Challenges that could prove the names; one allowed is enough. Absent: dns-01. */
  readonly methods?: readonly ChallengeType[];
}

/** Why the CA must not issue. `problem` names the record and `remedy` says how to change it, each as a
 *  clause. */
export interface CaaObstacle {
  readonly problem: string;
  readonly remedy: string;
}

/** Tags that CAs know, so that "critical" stops none of them. Those after `iodef` are about other kinds of
 *  certificates (RFC 9495, and mark certificates). */
const knownTags = ['issue', 'issuewild', 'iodef', 'issuemail', 'issuevmc'];
/** Tags about whom a CA may write to (Baseline Requirements, appendix A). A CA may know them; Let's Encrypt
 *  does not. */
const contactTags = ['contactemail', 'contactphone'];

/** Checks the CAA record set that applies to a name; `undefined` if the CA may issue. If the CA publishes no
 *  identities, only records that forbid every CA are an obstacle: such a CA may know any tag.
 *  @param records The closest record set of the name; empty if there is none.
 *  @param isWildcard Whether the name is a wildcard: `issuewild` then replaces `issue` (RFC 8659 §4.3). */
export function findCaaObstacle(
  records: readonly CaaRecord[],
  isWildcard: boolean,
  ca: CaaSubject,
): CaaObstacle | undefined {
  const known = isLetsEncrypt(ca) ? knownTags : [...knownTags, ...contactTags];
  const unknownCritical = records.find(
    ({ flags, tag }) => (flags & criticalBitsFor(ca)) !== 0 && !known.includes(tag),
  );
  if (unknownCritical && ca.identities.length > 0) {
    const problem = `the CAA record ${show(unknownCritical)} is marked critical, and a CA that does not know its tag must refuse`;
    return { problem, remedy: 'remove it or set its flags to 0' };
  }
  const wild = isWildcard ? records.filter(({ tag }) => tag === 'issuewild') : [];
  const relevant = wild.length > 0 ? wild : records.filter(({ tag }) => tag === 'issue');
  if (relevant.length === 0) return undefined;
  const parsed = relevant.map(parseIssuer);
  const identities = ca.identities.map((identity) => identity.toLowerCase());
  const named = parsed.filter(({ domain }) =>
    identities.length > 0 ? identities.includes(domain) : domain !== '',
  );
  if (named.some((issuer) => admits(issuer, ca))) return undefined;
  const [closest] = named;
  if (closest && ca.identities.length > 0) return describeParameters(closest, ca);
  if (closest) return undefined;
  const missing = show({ flags: 0, tag: relevant[0]?.tag ?? 'issue', value: ca.identities[0] ?? '' });
  return {
    problem: `the CAA records ${relevant.map(show).join(', ')} do not name this CA`,
    remedy: ca.identities.length > 0 ? `add ${missing}` : 'add one that names the CA, or remove them',
  };
}

/** An issue or issuewild property (RFC 8659 §4.2). */
interface Issuer {
  readonly record: CaaRecord;
  /** Lower case. Empty if no CA may issue; a value that cannot be parsed means the same. */
  readonly domain: string;
  readonly parameters: readonly (readonly [string, string])[];
}

function parseIssuer(record: CaaRecord): Issuer {
  const [domain = '', ...rest] = record.value.split(';').map((part) => part.trim());
  // A semicolon with nothing after it is allowed.
  const texts = rest.length === 1 && rest[0] === '' ? [] : rest;
  const parameters = texts.map((text) => /^([A-Za-z0-9-]+)\s*=\s*([\x21-\x3a\x3c-\x7e]*)$/.exec(text));
  if (parameters.includes(null)) return { record, domain: '', parameters: [] };
  return {
    record,
    domain: domain.toLowerCase(),
    parameters: parameters.map((match) => [match?.[1]?.toLowerCase() ?? '', match?.[2] ?? '']),
  };
}

/** Whether its `accounturi` (RFC 8657 §3) and `validationmethods` (§4) allow us. */
function admits(issuer: Issuer, ca: CaaSubject): boolean {
  return admitsAccount(issuer, ca) && admitsMethod(issuer, ca);
}

function admitsAccount({ parameters }: Issuer, { accountUrl }: CaaSubject): boolean {
  const accounts = parameters.filter(([name]) => name === 'accounturi').map(([, value]) => value);
  const [account] = accounts;
  if (account === undefined) return true;
  return accounts.length === 1 && (accountUrl === undefined || isSameAccount(account, accountUrl));
}

/** Whether two URLs name one account. Boulder, and so Let's Encrypt, also reads the URL that the account
 *  had in the first version of ACME: `https://acme-v01.api.letsencrypt.org/acme/reg/1` is
 *  `https://acme-v02.api.letsencrypt.org/acme/acct/1`. */
function isSameAccount(one: string, other: string): boolean {
  return one === other || currentUrl(one) === currentUrl(other);
}

/** The URL of a Boulder account in the second version of ACME; any other URL stays as it is. */
function currentUrl(text: string): string {
  const url = URL.parse(text);
  const id = /^\/acme\/(?:reg|acct)\/(\d+)$/.exec(url?.pathname ?? '')?.[1];
  if (!url || id === undefined) return text;
  const host = url.host.replace(/^acme(-staging)?(?:-v0[12])?\./, 'acme$1-v02.');
  return `${url.protocol}//${host}/acme/acct/${id}`;
}

function admitsMethod({ parameters }: Issuer, ca: CaaSubject): boolean {
  const lists = parameters.filter(([name]) => name === 'validationmethods').map(([, value]) => value);
  const ours = labelsOf(ca);
  const read = (method: string) => (isLetsEncrypt(ca) ? method : method.toLowerCase());
  return lists.every((list) => {
    const methods = list.split(',');
    const isReadable = methods.every((method) => /^[A-Za-z0-9-]+$/.test(method));
    return isReadable && methods.some((method) => ours.includes(read(method)));
  });
}

/** Numbers of the methods in the Baseline Requirements (§3.2.2.4.7, §3.2.2.4.22): since version 2.2.8, a
 *  record may say `ca-tbr-7` for dns-01. */
const methodNumbers = { 'dns-01': 7, 'dns-persist-01': 22 } as const;

/** The labels of `validationmethods` by which the CA may take one of our challenges. Let's Encrypt reads only
 *  the names of challenges, in lower case. */
function labelsOf(ca: CaaSubject): readonly string[] {
  const { methods = ['dns-01'] } = ca;
  if (isLetsEncrypt(ca)) return methods;
  return methods.flatMap((method) => [method, `ca-tbr-${methodNumbers[method]}`]);
}

/** The flag "critical" is bit 128 (RFC 8659 §4.1). Let's Encrypt reads 1 as critical too, because many
 *  write it. */
function criticalBitsFor(ca: CaaSubject): number {
  return isLetsEncrypt(ca) ? 128 | 1 : 128;
}

function isLetsEncrypt({ identities }: CaaSubject): boolean {
  return identities.some((identity) => identity.toLowerCase() === 'letsencrypt.org');
}

function describeParameters(issuer: Issuer, ca: CaaSubject): CaaObstacle {
  const text = show(issuer.record);
  if (!admitsAccount(issuer, ca)) {
    return {
      problem: `the CAA record ${text} allows only another account to issue`,
      remedy: `set accounturi=${ca.accountUrl ?? '(the URL of our account, once)'}, or remove accounturi`,
    };
  }
  const [method] = ca.methods ?? ['dns-01'];
  return {
    problem: `the CAA record ${text} does not allow validation by ${method}`,
    remedy: `add ${method} to its validationmethods, or remove validationmethods`,
  };
}

/** The record as a zone file writes it: `0 issue "letsencrypt.org"`. */
function show({ flags, tag, value }: CaaRecord): string {
  return `${flags} ${tag} "${value}"`;
}
