// Loads the previous version (AWSPREVIOUS), for targets that must go back to it.

import { keepFailures, PromiseCache } from '../async/promise-cache.ts';
import { isByHand, judgeRollback } from '../policy/delivery/freeze.ts';
import { describeDelivery } from '../policy/delivery/secret-plan.ts';
import { isRestored } from '../policy/retirement/retirement.ts';
import type { StoredValue } from '../ports/store.ts';
import type { AnyJob, DeployInvocation, DeployPorts, LastGood, LoadLastGood } from './invocation.ts';

/** A loader of previous versions that reads each certificate's from the store once per invocation. */
export function createLoadLastGood(ports: DeployPorts, invocation: DeployInvocation): LoadLastGood {
  const known = new PromiseCache<LastGood>(keepFailures);
  return (job) => known.get(job.delivery.certificate, () => loadLastGood(job, ports, invocation));
}

/** Reads AWSPREVIOUS and judges whether it may replace the job's version. Reads the store at each call.
 *  @throws StoreError if the store cannot be read. */
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
  if (stored?.value.kind === 'unparsable') return { refusal: describeUnreadable(stored.value) };
  if (stored?.value.kind !== 'certificate') return { refusal: 'there is no previous version' };
  // The job's version may have become AWSPREVIOUS since the invocation began.
  if (entry?.current !== delivery.version || stored.version === delivery.version) {
    return { refusal: 'a newer version is current now' };
  }
  if (isRestored(entry.state, stored.version)) {
    return {
      refusal: 'the previous version was in use before it was restored: somebody else may have its key',
    };
  }
  const isRevoked = entry.state.revoked?.includes(stored.version) ?? false;
  const { names, notBefore } = facts;
  const begin = freeze && isByHand(freeze) ? undefined : notBefore;
  const judged = judgeRollback(stored.value.certificate, { names, isRevoked, begin, now: clock.now() });
  return 'refusal' in judged ? judged : { delivery: describeDelivery(name, stored, judged.bundle) };
}

/** Why a previous version that is there is not put back. */
export function describeUnreadable({ problem }: Extract<StoredValue, { kind: 'unparsable' }>): string {
  return `the previous version cannot be read (${problem}): somebody else may have written it`;
}
