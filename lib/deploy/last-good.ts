// The version before the current one, for targets that must go back to it.

import { isByHand, judgeReturn } from '../policy/delivery/freeze.ts';
import { describeDelivery } from '../policy/delivery/secret.ts';
import { isRevokedVersion } from '../state/decisions.ts';
import type { AnyJob, ClusterPass, DeployPorts, DeployRun, Job, LastGood, LoadLastGood } from './run.ts';

/** Loads each certificate's once, however many targets ask. */
export function createLoadLastGood(ports: DeployPorts, run: DeployRun): LoadLastGood {
  const known = new Map<string, Promise<LastGood>>();
  return (job) => {
    const { certificate } = job.delivery;
    const loading = known.get(certificate) ?? loadLastGood(job, ports, run);
    known.set(certificate, loading);
    return loading;
  };
}

/** What one target may go back to. @param isSeen This run has seen the job's version fail there.
 *  @throws StoreError, ClusterError */
export async function findLastGood(job: Job, isSeen: boolean, pass: ClusterPass): Promise<LastGood> {
  const { cluster, ports, run } = pass;
  const lastGood = await pass.loadLastGood(job);
  if ('refusal' in lastGood) return lastGood;
  const question = { target: job.target, delivery: lastGood.delivery, isSeen };
  const error = await ports.judgeReturn?.(question, cluster, run.signal);
  return error ? { refusal: error.message, error } : lastGood;
}

/** Once. @throws StoreError */
export async function loadLastGood(
  { delivery, facts, hold }: Pick<AnyJob, 'delivery' | 'facts' | 'hold'>,
  { store, clock }: DeployPorts,
  { signal }: DeployRun,
): Promise<LastGood> {
  const { certificate: name } = delivery;
  const [entry, stored] = await Promise.all([
    store.describe(name, signal),
    store.read(name, 'AWSPREVIOUS', signal),
  ]);
  if (stored?.value.kind !== 'certificate') return { refusal: 'there is none' };
  // What was AWSCURRENT as the run began may be AWSPREVIOUS by now.
  if (entry?.current !== delivery.version || stored.version === delivery.version) {
    return { refusal: 'a newer version is there by now' };
  }
  const isRevoked = isRevokedVersion(entry?.state.revoked, stored.version);
  const { names, notBefore } = facts;
  const begin = hold && isByHand(hold) ? undefined : notBefore;
  const judged = judgeReturn(stored.value.certificate, { names, isRevoked, begin, now: clock.now() });
  return 'refusal' in judged ? judged : { delivery: describeDelivery(name, stored.version, judged.bundle) };
}
