// Signs deliveries for clusters that only an agent reaches. No order waits for a signature: the next pass
// signs what failed.

import { mapConcurrently } from '../async/map-concurrently.ts';
import { keepFailures, once } from '../async/promise-cache.ts';
import {
  type DeliveryStatement,
  publicKeyOf,
  readStatement,
  signStatement,
  verifyStatement,
} from '../certificate/statement.ts';
import { type AgentRecipient, planSigning, recipientsOf } from '../policy/delivery/agents.ts';
import { isTolerated } from '../policy/registration/grace.ts';
import { describeError } from '../ports/errors.ts';
import type { ByCluster } from '../state/state.ts';
import type { Allowance } from './gather/allowance.ts';
import { type Candidate, readSpecification } from './gather/gather.ts';
import type { IssueInvocation, IssuePorts } from './invocation.ts';

/** AWS secrets that are signed and tagged at once. */
const concurrency = 16;

type Ports = Pick<IssuePorts, 'store' | 'signingKey' | 'clock' | 'log'>;

/** A version of a certificate that may be signed for agents. */
export interface SignableVersion
  extends Pick<DeliveryStatement, 'certificate' | 'version' | 'fingerprint' | 'notBefore' | 'notAfter'> {
  /** The clusters and targets that only an agent reaches. */
  readonly recipients: readonly AgentRecipient[];
  /** The signatures that are recorded now. */
  readonly signatures: ByCluster<string> | undefined;
  /** The public key that must have signed; other signatures are made again. Absent: every signature
   *  counts. */
  readonly publicKey?: string | undefined;
}

/** The signatures to record: missing ones, and an empty one for a cluster to which the certificate no
 *  longer goes. Empty if nothing is to change. Never rejects. */
export async function signDelivery(
  { recipients, signatures, publicKey, ...content }: SignableVersion,
  { signingKey, clock, log }: Ports,
  { cleanUpSignal }: Pick<IssueInvocation, 'cleanUpSignal'>,
): Promise<{ readonly signatures?: ByCluster<string> }> {
  const holds = (cluster: string) => isTrusted(signatures?.[cluster], { ...content, cluster }, publicKey);
  const plan = planSigning(recipients, content, signatures, holds);
  const cleared = Object.fromEntries(plan.clear.map((cluster) => [cluster, '']));
  if (plan.sign.length === 0) return plan.clear.length === 0 ? {} : { signatures: cleared };
  const { certificate, version } = content;
  try {
    if (!signingKey) throw new Error('this run has no key to sign with; the next one of issue signs');
    const key = await signingKey(cleanUpSignal);
    const signedAt = clock.now();
    const signed = plan.sign.map(({ cluster, isRollback, targets }) => {
      log[isRollback ? 'warn' : 'info']('delivery signed', { certificate, version, cluster, isRollback });
      const statement = { ...content, cluster, signedAt, isRollback, targets };
      return [cluster, signStatement(statement, key)] as const;
    });
    return { signatures: { ...cleared, ...Object.fromEntries(signed) } };
  } catch (error) {
    log.error('delivery not signed', { certificate, version, problem: describeError(error) });
    return {};
  }
}

/** Signs stored certificates that lack a signature by the key of now: imported, put back by a person,
 *  given a new target, or signed before the key was replaced. Makes no call if nothing goes to an agent.
 *  Never rejects. */
export async function signMissing(
  candidates: readonly Candidate[],
  ports: MissingPorts,
  invocation: IssueInvocation,
): Promise<void> {
  const keyed = { ...ports, signingKey: ports.signingKey && once(ports.signingKey, keepFailures) };
  const concerned = candidates.filter((candidate) => isForAgents(candidate, invocation));
  const publicKey = concerned.length > 0 ? await readPublicKey(keyed, invocation) : undefined;
  await mapConcurrently(concerned, concurrency, async (candidate) => {
    const { name } = candidate;
    try {
      const signable = await describeSignable({ ...candidate, publicKey }, ports, invocation);
      const change = signable ? await signDelivery(signable, keyed, invocation) : {};
      if (change.signatures) await ports.store.record(name, change, invocation.cleanUpSignal);
    } catch (error) {
      ports.log.error('delivery not signed', { certificate: name, problem: describeError(error) });
    }
  });
}

type MissingPorts = Ports & { readonly allowance: Allowance };

/** Whether the certificate may be signed, and goes or went to an agent. */
function isForAgents({ entry, spec, situation }: Candidate, { inventory }: IssueInvocation): boolean {
  const { actual, isRevoked, isRestored } = situation;
  if (actual.kind !== 'certificate' || isRevoked || isRestored) return false;
  const isStated = Object.keys(entry?.state.signatures ?? {}).length > 0;
  return isStated || (spec !== undefined && recipientsOf(spec, inventory).length > 0);
}

/** What to sign of a certificate; `undefined` for nothing. @throws StoreError, IssueError. */
async function describeSignable(
  { publicKey, ...candidate }: Candidate & Pick<SignableVersion, 'publicKey'>,
  { store, clock, allowance }: MissingPorts,
  { inventory, signal }: IssueInvocation,
): Promise<SignableVersion | undefined> {
  const { name, entry, spec: known, situation } = candidate;
  const { actual } = situation;
  if (actual.kind !== 'certificate' || !entry?.current) return undefined;
  const { fingerprint, notBefore, notAfter } = actual;
  const { signatures = {} } = entry.state;
  // What the inventory does not allow is not signed, and its signatures are taken back.
  const isRefused = ({ misfits }: Candidate['situation']) =>
    misfits !== undefined && !isTolerated(misfits, clock.now());
  const content = { certificate: name, version: entry.current, fingerprint, notBefore, notAfter };
  // Without a specification only signatures of the key may stay: targets that nobody vouches for are not
  // signed.
  if (isRefused(situation)) return { ...content, recipients: [], signatures, publicKey };
  const holds = ([cluster, text]: readonly [string, string]) =>
    readStatement(text)?.targets !== undefined && isTrusted(text, { ...content, cluster }, publicKey);
  if (!known && Object.entries(signatures).every(holds)) return undefined;
  if (known) return { ...content, recipients: recipientsOf(known, inventory), signatures, publicKey };
  const spec = await readSpecification(name, store, signal);
  const read = await allowance.checkSpec(candidate, spec);
  const recipients = isRefused(read.situation) ? [] : recipientsOf(spec, inventory);
  return { ...content, recipients, signatures, publicKey };
}

/** Whether the key has signed the text; true without a key. */
function isTrusted(
  text: string | undefined,
  content: Parameters<typeof verifyStatement>[1],
  publicKey: string | undefined,
): boolean {
  return publicKey === undefined || verifyStatement(text, content, [publicKey]).ok;
}

/** The public signing key; `undefined` if it cannot be read: then all signatures stay. */
async function readPublicKey(
  { signingKey, log }: Ports,
  { cleanUpSignal }: IssueInvocation,
): Promise<string | undefined> {
  try {
    return signingKey && publicKeyOf(await signingKey(cleanUpSignal));
  } catch (error) {
    log.warn('signatures not checked', { problem: describeError(error) });
    return undefined;
  }
}
