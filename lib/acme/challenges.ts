// Which challenge of an authorization is answered, and what DNS must hold for it.
import { createHash } from 'node:crypto';
import type { Authorization, Proof } from '../acme-ports.ts';
import { challengeName, persistentName } from '../certificate/names.ts';
import type { ChallengeType } from '../certificate/spec.ts';

/** The account that proves. */
export interface Prover {
  /** Thumbprint of the account's key (RFC 7638). */
  readonly thumbprint: string;
  readonly accountUrl: string;
}

/** The proof by the wanted challenge, or by dns-01 where the CA does not offer it; `undefined` where it offers neither. */
export function chooseProof(
  authorization: Authorization,
  wanted: ChallengeType | undefined,
  prover: Prover,
): Proof | undefined {
  const lasting = wanted === 'dns-persist-01' ? proveForGood(authorization, prover) : undefined;
  return lasting ?? proveOnce(authorization, prover);
}

/** RFC 8555 §8.4. */
function proveOnce({ name, challenges }: Authorization, { thumbprint }: Prover): Proof | undefined {
  const challenge = challenges.find(({ type, token }) => type === 'dns-01' && token !== undefined);
  if (challenge?.token === undefined) return undefined;
  const value = createHash('sha256').update(`${challenge.token}.${thumbprint}`).digest('base64url');
  return { challenge, name: challengeName(name), value, isLasting: false };
}

/** draft-ietf-acme-dns-persist-01 §3: the record names the CA, by the first of its names, and our account. */
function proveForGood(
  { name, isWildcard, challenges }: Authorization,
  { accountUrl }: Prover,
): Proof | undefined {
  const challenge = challenges.find(({ type }) => type === 'dns-persist-01');
  const [issuer] = challenge?.issuerDomains ?? [];
  if (!challenge || issuer === undefined) return undefined;
  const policy = isWildcard ? '; policy=wildcard' : '';
  const value = `${issuer}; accounturi=${accountUrl}${policy}`;
  return { challenge, name: persistentName(name), value, isLasting: true };
}
