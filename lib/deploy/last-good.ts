// The version before the current one, for targets that must go back to it.

import { isByHand, judgeReturn } from '../policy/delivery/freeze.ts';
import { describeDelivery } from '../policy/delivery/secret.ts';
import type {
  AnyJob,
  ClusterContext,
  DeployInvocation,
  DeployPorts,
  Job,
  LastGood,
  LoadLastGood,
} from './invocation.ts';

/** Loads each certificate's once, however many targets ask. */
export function createLoadLastGood(ports: DeployPorts, invocation: DeployInvocation): LoadLastGood {
  const known = new Map<string, Promise<LastGood>>();
  return (job) => {
    const { certificate } = job.delivery;
    const loading = known.get(certificate) ?? loadLastGood(job, ports, invocation);
    known.set(certificate, loading);
    return loading;
  };
}

/** What one target may go back to. @param isSeen This run has seen the job's version fail there.
 *  @throws StoreError, ClusterError */
export async function findLastGood(job: Job, isSeen: boolean, pass: ClusterContext): Promise<LastGood> {
  const { cluster, ports, invocation } = pass;
  const lastGood = await pass.loadLastGood(job);
  if ('refusal' in lastGood) return lastGood;
  const question = { target: job.target, delivery: lastGood.delivery, isSeen };
  const error = await ports.judgeReturn?.(question, cluster, invocation.signal);
  return error ? { refusal: error.message, error } : lastGood;
}

/** Once. @throws StoreError */
export async function loadLastGood(
  { delivery, facts, freeze }: Pick<AnyJob, 'delivery' | 'facts' | 'freeze'>,
  { store, clock }: DeployPorts,
  { signal }: DeployInvocation,
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
  const isRevoked = entry.state.revoked?.includes(stored.version) ?? false;
  const { names, notBefore } = facts;
  const begin = freeze && isByHand(freeze) ? undefined : notBefore;
  const judged = judgeReturn(stored.value.certificate, { names, isRevoked, begin, now: clock.now() });
  return 'refusal' in judged ? judged : { delivery: describeDelivery(name, stored.version, judged.bundle) };
}
