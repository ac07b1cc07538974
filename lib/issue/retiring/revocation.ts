// Revokes the versions of a certificate that is let go (RFC 8555 §7.6).
import { verifyBundle } from '../../certificate/bundle.ts';
import type { StoredCertificate } from '../../certificate/stored.ts';
import { readCertificate } from '../../certificate/x509.ts';
import { recordTrouble } from '../../policy/health/trouble.ts';
import { addRevoked } from '../../policy/issuance/operator-decisions.ts';
import { revocationFailed } from '../../policy/retirement/retirement.ts';
import { describeError, toError } from '../../ports/errors.ts';
import { IssueError } from '../errors.ts';
import type { IssueInvocation, IssuePorts } from '../invocation.ts';
import type { RetiringCertificate } from './found.ts';

/** RFC 5280 §5.3.1: nobody uses the certificate any more. */
const reason = 'cessationOfOperation';

/** Revokes the versions of a certificate, and records on its tags what keeps it from that, so that `status`
 *  tells it; clears that once they are revoked. Returns the error, and whether the tags have it; `undefined`
 *  if nothing is left to revoke.
 *  @throws the signal's reason once the signal is aborted. */
export async function tryRevocation(
  one: RetiringCertificate,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<{ readonly error: Error; readonly isNoted: boolean } | undefined> {
  const { name, entry } = one;
  const before = entry.state.problem;
  let error: Error | undefined;
  try {
    await revokeVersions(one, ports, invocation);
  } catch (cause) {
    invocation.signal.throwIfAborted();
    error = toError(cause);
  }
  const found = error && { code: revocationFailed, words: describeError(error) };
  const known = before?.code === revocationFailed ? before : undefined;
  const problem = found && recordTrouble(found, known, ports.clock.now());
  if (problem === known) return error && { error, isNoted: true };
  try {
    await ports.store.record(name, { problem: problem ?? null }, invocation.cleanUpSignal);
    if (!error) return undefined;
    // A trouble gives way where the tags have no room.
    const noted = (await ports.store.describe(name, invocation.cleanUpSignal))?.state.problem;
    return { error, isNoted: noted?.code === revocationFailed };
  } catch (cause) {
    ports.log.warn('state not recorded', { certificate: name, problem: describeError(cause) });
    return error && { error, isNoted: false };
  }
}

/** Revokes the current and the previous version, unless they are revoked or have expired. Each is recorded as
 *  soon as it is revoked, so that a second call goes on after it.
 *  @throws IssueError `Failed` if the inventory has no issuer for the CA; AcmeError; StoreError. */
async function revokeVersions(
  { name, entry }: RetiringCertificate,
  { store, clock, log, openOrdering }: IssuePorts,
  { inventory, signal, cleanUpSignal }: IssueInvocation,
): Promise<void> {
  let revoked = entry.state.revoked ?? [];
  for (const version of [entry.current, entry.previous]) {
    if (version === undefined || revoked.includes(version)) continue;
    const value = (await store.read(name, { version }, signal))?.value;
    if (value?.kind !== 'certificate') continue;
    const { certificate } = value;
    const { chain, facts } = readLeaf(certificate);
    if (facts.notAfter <= clock.now()) continue;
    const [issuer] =
      Object.entries(inventory.issuers).find(([, { directory }]) => directory === certificate.issuer) ?? [];
    if (issuer === undefined) {
      const message = `version ${version} of "${name}" was issued by ${certificate.issuer}, and no issuer in the inventory has this directory: add one, so that it can be revoked`;
      throw new IssueError('Failed', message);
    }
    const { connect } = await openOrdering();
    const ca = await connect(issuer, signal);
    await ca.revoke({ ...certificate, chain }, reason, signal);
    log.info('certificate revoked', { certificate: name, version, reason, fingerprint: facts.fingerprint });
    revoked = addRevoked(revoked, version);
    await store.record(name, { revoked }, cleanUpSignal);
  }
}

/** The leaf of the key, which is the one to revoke, first, however the chain was stored. */
function readLeaf(certificate: StoredCertificate) {
  const verdict = verifyBundle(certificate);
  return verdict.ok
    ? verdict.bundle
    : { chain: certificate.chain, facts: readCertificate(certificate.chain) };
}
