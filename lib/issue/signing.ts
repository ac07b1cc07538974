// Signs what is meant for clusters that only an agent reaches. It makes no order wait: what fails here is signed next time.
import {
  type DeliveryStatement,
  publicKeyOf,
  signStatement,
  verifyStatement,
} from '../certificate/statement.ts';
import { mapConcurrently } from '../concurrency.ts';
import { describeError } from '../log.ts';
import { agentClusters, planSigning } from '../policy/agents.ts';
import type { ByCluster } from '../policy/state.ts';
import type { Candidate } from './gather.ts';
import type { IssuePorts, Run } from './run.ts';

/** AWS secrets tagged at once. */
const concurrency = 16;

type Ports = Pick<IssuePorts, 'store' | 'signingKey' | 'clock' | 'log'>;

/** A version of a certificate that may be stated. */
export interface Stated
  extends Pick<DeliveryStatement, 'certificate' | 'version' | 'fingerprint' | 'notBefore' | 'notAfter'> {
  /** Where it goes and only an agent reaches. */
  readonly clusters: readonly string[];
  /** As recorded so far. */
  readonly signatures: ByCluster | undefined;
  /** Public key whose signatures hold, others being made anew; absent: any is taken for good. */
  readonly publicKey?: string | undefined;
}

/** Signatures to record with that version: those that are missing, and an empty one where the certificate no longer goes;
 *  absent where everything is as it should be. Never rejects. */
export async function signDelivery(
  { clusters, signatures, publicKey, ...content }: Stated,
  { signingKey, clock, log }: Ports,
  { cleanUpSignal }: Pick<Run, 'cleanUpSignal'>,
): Promise<{ readonly signatures?: ByCluster }> {
  const isTrusted = (cluster: string) =>
    publicKey === undefined ||
    verifyStatement(signatures?.[cluster], { ...content, cluster }, [publicKey]).ok;
  const plan = planSigning(clusters, content, signatures, isTrusted);
  const cleared = Object.fromEntries(plan.clear.map((cluster) => [cluster, '']));
  if (plan.sign.length === 0) return plan.clear.length === 0 ? {} : { signatures: cleared };
  const { certificate, version } = content;
  try {
    if (!signingKey) throw new Error('this run has no key to sign with; the next one of issue signs');
    const key = await signingKey(cleanUpSignal);
    const signedAt = clock.now();
    const signed = plan.sign.map(({ cluster, isRollback }) => {
      log[isRollback ? 'warn' : 'info']('delivery signed', { certificate, version, cluster, isRollback });
      return [cluster, signStatement({ ...content, cluster, signedAt, isRollback }, key)] as const;
    });
    return { signatures: { ...cleared, ...Object.fromEntries(signed) } };
  } catch (error) {
    log.error('delivery not signed', { certificate, version, problem: describeError(error) });
    return {};
  }
}

/** Signs what a pass found to be stored without a signature by the key of now: imported, put back by a person, given a new
 *  target, or signed before the key was exchanged. Where nothing goes to an agent, this makes no call. Never rejects. */
export async function signMissing(candidates: readonly Candidate[], ports: Ports, run: Run): Promise<void> {
  const stated = candidates.flatMap((candidate) => describeStated(candidate, run));
  const keyed = { ...ports, signingKey: onceOnly(ports.signingKey) };
  const publicKey = stated.some(({ clusters }) => clusters.length > 0)
    ? await readPublicKey(keyed, run)
    : undefined;
  await mapConcurrently(stated, concurrency, async (one) => {
    const change = await signDelivery({ ...one, publicKey }, keyed, run);
    if (!change.signatures) return;
    await ports.store.record(one.certificate, change, run.cleanUpSignal).catch((error: unknown) => {
      ports.log.error('delivery not signed', { certificate: one.certificate, problem: describeError(error) });
    });
  });
}

function describeStated({ name, entry, spec, situation }: Candidate, { inventory }: Run): readonly Stated[] {
  const { held, isRevoked } = situation;
  if (held.kind !== 'certificate' || !entry?.current || isRevoked) return [];
  const { fingerprint, notBefore, notAfter } = held;
  const { signatures } = entry.state;
  // Where the specification has not been read, the certificate goes where it went.
  const clusters = spec ? agentClusters(spec.targets, inventory) : Object.keys(signatures ?? {});
  const content = { certificate: name, version: entry.current, fingerprint, notBefore, notAfter };
  return [{ ...content, clusters, signatures }];
}

/** A pass may sign much. */
function onceOnly(signingKey: Ports['signingKey']): Ports['signingKey'] {
  let reading: Promise<string> | undefined;
  return signingKey && ((signal) => (reading ??= signingKey(signal)));
}

/** `undefined` where there is none to read: what is signed stays as it is. */
async function readPublicKey(
  { signingKey, log }: Ports,
  { cleanUpSignal }: Run,
): Promise<string | undefined> {
  try {
    return signingKey && publicKeyOf(await signingKey(cleanUpSignal));
  } catch (error) {
    log.warn('signatures not checked', { problem: describeError(error) });
    return undefined;
  }
}
