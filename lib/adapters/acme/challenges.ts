// Chooses which challenge of an authorization to answer, and computes the TXT record that proves it.
import { createHash } from 'node:crypto';
import { isInDomainOf } from '../../certificate/name-parsing.ts';
import { challengeName, persistentName } from '../../certificate/names.ts';
import type { IssuerSpec } from '../../certificate/spec.ts';
import {
  hashedAccountUri,
  persistentValue,
  provesDomain,
  provingUris,
} from '../../policy/dns/persistent-record.ts';
import { AcmeError, type Authorization, type Challenge, type Proof } from '../../ports/acme.ts';
import type { AcmeDirectory } from './directory.ts';

/** The account that proves control of a name. */
export interface Prover {
  /** Thumbprint of the account's key (RFC 7638). */
  readonly thumbprint: string;
  readonly accountUrl: string;
  /** The time, by which records end. */
  readonly now: () => Date;
  /** `meta` of the CA's directory. */
  readonly meta?: AcmeDirectory['meta'];
}

/** What the choice needs of the issuer. */
type Issuer = Pick<IssuerSpec, 'directory' | 'challenge' | 'caaIdentity'>;

/** The proof by the issuer's challenge, or by dns-01 with a `fallbackReason` if the CA does not offer that
 *  one. `undefined` if it offers neither. If dns-persist-01 is offered but would not be safe, `report` gets
 *  the reason and dns-01 is chosen.
 *  @throws AcmeError `Unsupported` with that reason if the CA does not offer dns-01. */
export function chooseProof(
  authorization: Authorization,
  issuer: Issuer,
  prover: Prover,
  report: (problem: string) => void,
): Proof | undefined {
  const dns01 = dns01Proof(authorization, prover);
  if (issuer.challenge !== 'dns-persist-01') return dns01;
  const persistent = authorization.challenges.find(({ type }) => type === 'dns-persist-01');
  if (!persistent?.issuerDomains?.length) {
    const offer = persistent
      ? 'offers dns-persist-01 without its own names'
      : 'does not offer dns-persist-01';
    return dns01 && { ...dns01, fallbackReason: `the CA at ${issuer.directory} ${offer}` };
  }
  const proof = persistentProof(authorization, persistent, issuer, prover);
  if (typeof proof !== 'string') return proof;
  if (dns01 === undefined) throw new AcmeError('Unsupported', proof);
  report(proof);
  return { ...dns01, fallbackReason: proof };
}

/** The proof by dns-01 (RFC 8555 §8.4); `undefined` if the CA does not offer it. */
function dns01Proof({ name, challenges }: Authorization, { thumbprint }: Prover): Proof | undefined {
  const challenge = challenges.find(({ type, token }) => type === 'dns-01' && token !== undefined);
  if (challenge?.token === undefined) return undefined;
  const value = createHash('sha256').update(`${challenge.token}.${thumbprint}`).digest('base64url');
  return { challenge, name: challengeName(name), value, isLasting: false };
}

/** The proof by dns-persist-01: the record names the CA and our account. The account is hashed if the
 *  directory has a prefix for that (draft-ietf-acme-dns-persist-02); a CA that names the account besides gets
 *  the older value too. The record stays in DNS, so it must never let a stranger issue. The text of a reason
 *  if the CA asks for a record that names another account, or none of the CA's own names. */
function persistentProof(
  { name, isWildcard }: Authorization,
  challenge: Challenge,
  { directory, caaIdentity = [] }: Issuer,
  { accountUrl, thumbprint, meta, now }: Prover,
): Proof | string {
  if (challenge.accountUrl !== undefined && challenge.accountUrl !== accountUrl) {
    return `the CA at ${directory} asks for a dns-persist-01 record for ${name} that names ${JSON.stringify(challenge.accountUrl.slice(0, 200))}, which is not our account there (${accountUrl}); no such record is written`;
  }
  const { host, hostname } = new URL(directory);
  const offered = challenge.issuerDomains ?? [];
  const prefix = meta?.accountHashPrefix;
  const contradiction = prefix === undefined ? undefined : findContradiction(offered, meta);
  if (contradiction !== undefined)
    return `the CA at ${host} asks for a dns-persist-01 record for ${name} that names ${offered.join(', ')}, but ${contradiction}; no such record is written`;
  const preferred = offered.filter((domain) => meta?.issuerDomainNames?.includes(domain));
  const issuer = [...preferred, ...offered].find((domain) => {
    const lower = domain.toLowerCase();
    return caaIdentity.includes(lower) || isInDomainOf(lower, hostname);
  });
  if (issuer === undefined) {
    const [first = ''] = offered;
    return `the CA at ${host} asks for a dns-persist-01 record for ${name} that names ${offered.join(', ')}, which is not in the domain of ${host}; no such record is written. If that is this CA's name, write caaIdentity: ${first} at the issuer`;
  }
  const older = persistentValue(issuer, accountUrl, isWildcard);
  const issuers = offered.map((domain) => domain.toLowerCase());
  const accountUris = provingUris(name, { url: accountUrl, thumbprint }, prefix);
  const isMetBy = (text: string) =>
    provesDomain(text, isWildcard ? `*.${name}` : name, { issuers, accountUris, now: now() });
  const proof = { challenge, name: persistentName(name), isLasting: true, isMetBy };
  if (prefix === undefined) return { ...proof, value: older };
  const uri = hashedAccountUri(prefix, name, { url: accountUrl, thumbprint });
  const value = persistentValue(issuer, uri, isWildcard);
  return challenge.accountUrl === undefined ? { ...proof, value } : { ...proof, value, olderValue: older };
}

/** Where the names of a challenge contradict the directory (draft-ietf-acme-dns-persist-02): the challenge
 *  has every name of the directory, and CAA records may name the CA by each. */
function findContradiction(offered: readonly string[], meta: AcmeDirectory['meta']): string | undefined {
  const missing = meta?.issuerDomainNames?.find((name) => !offered.includes(name));
  if (missing !== undefined) return `its directory also has the name ${missing.slice(0, 253)}`;
  const identities = meta?.caaIdentities?.map((identity) => identity.toLowerCase()) ?? [];
  const unknown = offered.find((name) => !identities.includes(name.toLowerCase()));
  return identities.length > 0 && unknown !== undefined
    ? `its directory's caaIdentities do not have ${unknown}`
    : undefined;
}
