// Whether CAA records let a CA issue (RFC 8659), to this account and by DNS-01 (RFC 8657).
import type { ChallengeType } from '../../certificate/spec.ts';

/** One CAA record (RFC 8659 §4.1). */
export interface CaaRecord {
  readonly flags: number;
  /** Lower case: `issue`, `issuewild`, `iodef`, … */
  readonly tag: string;
  readonly value: string;
}

/** What CAA records are held against. */
export interface CaaSubject {
  /** The directory's `caaIdentities` (RFC 8555 §7.1.1); empty where the CA does not say by which names it is called. */
  readonly identities: readonly string[];
  /** URL of the account that would order; absent where there is none yet. What is asked of accounts is not judged then. */
  readonly accountUrl?: string | undefined;
  /** The challenges by which it would prove the names, any of them; absent: dns-01. */
  readonly methods?: readonly ChallengeType[];
}

/** Why the CA may not issue: `problem` names the record, `remedy` says how to change it. Both are parts of a sentence. */
export interface CaaObstacle {
  readonly problem: string;
  readonly remedy: string;
}

/** RFC 8659 §4.1: the bit for "critical". Let's Encrypt reads 1 as the same, because so many write it. */
const criticalBits = 128 | 1;

/** The obstacle in the closest record set of a name; `undefined` where the CA may issue. A CA without known identities is
 *  only held against what shuts out every CA. */
export function findCaaObstacle(
  records: readonly CaaRecord[],
  isWildcard: boolean,
  ca: CaaSubject,
): CaaObstacle | undefined {
  const foreign = records.find(
    ({ flags, tag }) => (flags & criticalBits) !== 0 && !['issue', 'issuewild', 'iodef'].includes(tag),
  );
  if (foreign) {
    const problem = `the record ${show(foreign)} is marked critical, and CAs that do not know it must refuse`;
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
  const wanted = show({ flags: 0, tag: relevant[0]?.tag ?? 'issue', value: ca.identities[0] ?? '' });
  return {
    problem: `the CAA records ${relevant.map(show).join(', ')} do not name this CA`,
    remedy: ca.identities.length > 0 ? `add ${wanted}` : 'add one that names the CA, or remove them',
  };
}

/** An issue or issuewild property (RFC 8659 §4.2). */
interface Issuer {
  readonly record: CaaRecord;
  /** Lower case; empty where nobody may issue, or where the value cannot be read, which means the same. */
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

/** RFC 8657 §3: the one account it names; §4: the methods it names. */
function admits(issuer: Issuer, ca: CaaSubject): boolean {
  return admitsAccount(issuer, ca) && admitsMethod(issuer, ca);
}

function admitsAccount({ parameters }: Issuer, { accountUrl }: CaaSubject): boolean {
  const accounts = parameters.filter(([name]) => name === 'accounturi').map(([, value]) => value);
  if (accounts.length === 0) return true;
  return accounts.length === 1 && (accountUrl === undefined || accounts[0] === accountUrl);
}

function admitsMethod({ parameters }: Issuer, { methods: wanted = ['dns-01'] }: CaaSubject): boolean {
  const lists = parameters.filter(([name]) => name === 'validationmethods').map(([, value]) => value);
  return lists.every((list) => {
    const methods = list.split(',');
    const isReadable = methods.every((one) => /^[A-Za-z0-9-]+$/.test(one));
    return isReadable && wanted.some((method) => methods.includes(method));
  });
}

function describeParameters(issuer: Issuer, ca: CaaSubject): CaaObstacle {
  const text = show(issuer.record);
  if (!admitsAccount(issuer, ca)) {
    return {
      problem: `the CAA record ${text} lets another account issue only`,
      remedy: `make it accounturi=${ca.accountUrl ?? 'the URL of ours, once'}, or take accounturi out`,
    };
  }
  const [method] = ca.methods ?? ['dns-01'];
  return {
    problem: `the CAA record ${text} does not allow validation by ${method}`,
    remedy: `add ${method} to its validationmethods, or take them out`,
  };
}

/** As in a zone file: `0 issue "letsencrypt.org"`. */
function show({ flags, tag, value }: CaaRecord): string {
  return `${flags} ${tag} "${value}"`;
}
