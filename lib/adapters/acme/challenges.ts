// Which challenge of an authorization is answered, and what DNS must hold for it.
import { createHash } from 'node:crypto';
import { isInDomainOf } from '../../certificate/name-parsing.ts';
import { challengeName, persistentName } from '../../certificate/names.ts';
import type { IssuerSpec } from '../../certificate/spec.ts';
import { AcmeError, type Authorization, type Challenge, type Proof } from '../../ports/acme.ts';

/** The account that proves. */
export interface Prover {
  /** Thumbprint of the account's key (RFC 7638). */
  readonly thumbprint: string;
  readonly accountUrl: string;
}

/** The issuer whose CA offers the challenges. */
type Issuer = Pick<IssuerSpec, 'directory' | 'challenge' | 'caaIdentity'>;

/** The proof by the wanted challenge, or by dns-01 if the CA does not offer that; `undefined` if it offers neither. `report`
 *  gets the reason if dns-persist-01 is offered but must not be used, and dns-01 is taken.
 *  @throws AcmeError `Unsupported` with that reason if there is no dns-01 either. */
export function chooseProof(
  authorization: Authorization,
  issuer: Issuer,
  prover: Prover,
  report: (problem: string) => void,
): Proof | undefined {
  const once = proveOnce(authorization, prover);
  const lasting = authorization.challenges.find(({ type }) => type === 'dns-persist-01');
  if (issuer.challenge !== 'dns-persist-01' || !lasting?.issuerDomains?.length) return once;
  const proof = proveForGood(authorization, lasting, issuer, prover);
  if (typeof proof !== 'string') return proof;
  if (once === undefined) throw new AcmeError('Unsupported', proof);
  report(proof);
  return once;
}

/** RFC 8555 §8.4. */
function proveOnce({ name, challenges }: Authorization, { thumbprint }: Prover): Proof | undefined {
  const challenge = challenges.find(({ type, token }) => type === 'dns-01' && token !== undefined);
  if (challenge?.token === undefined) return undefined;
  const value = createHash('sha256').update(`${challenge.token}.${thumbprint}`).digest('base64url');
  return { challenge, name: challengeName(name), value, isLasting: false };
}

/** draft-ietf-acme-dns-persist-01 §3: the record names the CA, by the first of its names that is the CA's own, and our
 *  account. It stays, so it must never let a stranger issue. Gives the reason if the CA asks for such a record. */
function proveForGood(
  { name, isWildcard }: Authorization,
  challenge: Challenge,
  { directory, caaIdentity = [] }: Issuer,
  { accountUrl }: Prover,
): Proof | string {
  if (challenge.accountUrl !== undefined && challenge.accountUrl !== accountUrl) {
    return `the CA at ${directory} asks for a dns-persist-01 record for ${name} that names ${JSON.stringify(challenge.accountUrl.slice(0, 200))}, which is not our account there (${accountUrl}); no such record is written`;
  }
  const { host, hostname } = new URL(directory);
  const offered = challenge.issuerDomains ?? [];
  const issuer = offered.find((domain) => {
    const lower = domain.toLowerCase();
    return caaIdentity.includes(lower) || isInDomainOf(lower, hostname);
  });
  if (issuer === undefined) {
    const [first = ''] = offered;
    return `the CA at ${host} asks for a dns-persist-01 record for ${name} that names ${offered.join(', ')}, which is not of the domain of ${host}; no such record is written. If that is this CA's name, write caaIdentity: ${first} at the issuer`;
  }
  const policy = isWildcard ? '; policy=wildcard' : '';
  const value = `${issuer}; accounturi=${accountUrl}${policy}`;
  return { challenge, name: persistentName(name), value, isLasting: true };
}
