// Signs what is meant for clusters that only an agent reaches. It makes no order wait: what fails here is signed next time.
import type { TargetSpec } from '../certificate/spec.ts';
import { type DeliveryStatement, signStatement } from '../certificate/statement.ts';
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
  readonly targets: readonly TargetSpec[];
  /** As recorded so far. */
  readonly signatures: ByCluster | undefined;
}

/** Signatures to record with that version: those that are missing, and an empty one where the certificate no longer goes;
 *  absent where everything is as it should be. Never rejects. */
export async function signDelivery(
  { targets, signatures, ...content }: Stated,
  { signingKey, clock, log }: Ports,
  { inventory, cleanUpSignal }: Pick<Run, 'inventory' | 'cleanUpSignal'>,
): Promise<{ readonly signatures?: ByCluster }> {
  const plan = planSigning(agentClusters(targets, inventory), content, signatures);
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

/** Signs what a pass found to be stored without a signature: imported, put back by a person, or given a new target.
 *  Where there is none, this makes no call. Never rejects. */
export async function signMissing(candidates: readonly Candidate[], ports: Ports, run: Run): Promise<void> {
  await mapConcurrently(candidates, concurrency, async ({ name, entry, spec, situation }) => {
    const { held, isRevoked } = situation;
    if (held.kind !== 'certificate' || !spec || !entry?.current || isRevoked) return;
    const { fingerprint, notBefore, notAfter } = held;
    const content = { certificate: name, version: entry.current, fingerprint, notBefore, notAfter };
    const { signatures } = entry.state;
    const change = await signDelivery({ ...content, targets: spec.targets, signatures }, ports, run);
    if (!change.signatures) return;
    await ports.store.record(name, change, run.cleanUpSignal).catch((error: unknown) => {
      ports.log.error('delivery not signed', { certificate: name, problem: describeError(error) });
    });
  });
}
