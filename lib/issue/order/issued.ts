// Verifies what a CA has issued before it is stored.
import { type Bundle, buildIssuedBundle } from '../../certificate/bundle.ts';
import { sameNames } from '../../certificate/names.ts';
import { certificatesIn } from '../../certificate/pem.ts';
import { actualByTags, actualByValue } from '../../policy/issuance/actual.ts';
import { findDueAgain, findShortLife, isBetter } from '../../policy/issuance/issued.ts';
import { versionDecisionsOf } from '../../policy/issuance/operator-decisions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { CertificateStore, StoreEntry } from '../../ports/store.ts';
import { IssueError } from '../errors.ts';
import type { DueCertificate } from '../gather/gather.ts';
import type { IssueInvocation } from '../invocation.ts';
import type { Claim } from './claim.ts';

/** Verifies a PEM chain with the claim's key, and builds its path: signatures, names, validity now and for
 *  long enough. The CA may have added names. A certificate that would be ordered again at once passes only if
 *  it is better than the one in use.
 *  @throws IssueError `BadCertificate` if it must not be stored, StoreError. */
export async function verifyIssued(
  chain: string,
  { due, claim }: { readonly due: DueCertificate; readonly claim: Claim },
  { store, clock }: { readonly store: CertificateStore; readonly clock: Clock },
  invocation: IssueInvocation,
): Promise<Bundle> {
  const now = clock.now();
  const { key } = claim.pending;
  const verified = buildIssuedBundle({ chain, key, domainsAtLeast: due.spec.domains }, now);
  if (!verified.ok) {
    const isUntimely = verified.problem === 'Expired' || verified.problem === 'NotYetValid';
    const what = isUntimely ? 'not valid now' : 'not the one ordered';
    throw refusal(`a certificate that is ${what}`, verified.message);
  }
  const { bundle } = verified;
  const tooShort = findShortLife(bundle.validUntil, now, invocation.issueIntervalMs);
  if (tooShort !== undefined) throw refusal('a certificate that ends too soon', tooShort);
  const { desired } = due.situation;
  const dueAgain = findDueAgain(bundle.facts, claim.pending, desired, now);
  if (dueAgain === undefined || (await isBetterThanUsed(bundle, claim.entry, store, invocation)))
    return bundle;
  throw refusal('a certificate that ends no later than the one in use', dueAgain);
}

/** Warns of what the operator may not expect of a certificate that was issued and stored: names that the CA
 *  added, and an authority that is missing although the CA sent others. */
export function warnAboutIssued(
  { facts, names, chain, leftOut }: Bundle,
  { name, orderUrl, version }: { readonly name: string; readonly orderUrl: string; readonly version: string },
  log: Log,
): void {
  const added = facts.names.filter((one) => !names.includes(one));
  const fields = { certificate: name, orderUrl, version };
  if (added.length > 0) log.warn('CA added names', { ...fields, names: added });
  if (leftOut === 0 || certificatesIn(chain).length > 1) return;
  const problem = `none of the ${leftOut} other certificates that the CA sent has signed it and is valid now: clients that do not hold its issuer refuse it`;
  log.warn('chain incomplete', { ...fields, problem });
}

/** The names to keep with a certificate; `undefined` if it is for exactly those that were ordered. */
export function requestedNamesOf({ facts, names }: Bundle): readonly string[] | undefined {
  return sameNames(facts.names, names) ? undefined : names;
}

function refusal(what: string, why: string): IssueError {
  return new IssueError('BadCertificate', `the CA issued ${what} (${why}); it was not stored`);
}

async function isBetterThanUsed(
  { facts }: Bundle,
  entry: StoreEntry | undefined,
  store: CertificateStore,
  { signal }: IssueInvocation,
): Promise<boolean> {
  if (!entry) return true;
  const inUse =
    actualByTags(entry) ?? actualByValue((await store.read(entry.name, 'AWSCURRENT', signal))?.value);
  const { isRevoked, isRestored } = versionDecisionsOf(entry);
  const isGivenUp = isRevoked || isRestored || entry.state.revoking === entry.current;
  return isBetter(facts.notAfter, inUse, isGivenUp);
}
