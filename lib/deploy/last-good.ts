// The version before the current one, for targets that must go back to it.
import { type Delivery, describeDelivery } from '../policy/deployment.ts';
import { judgeReturn } from '../policy/hold.ts';
import { isRevokedVersion } from '../policy/standing.ts';
import type { AnyJob, DeployPorts, DeployRun } from './run.ts';

/** What AWSPREVIOUS holds, verified, or why it cannot be used, as one line. */
export type LastGood = { readonly delivery: Delivery } | { readonly refusal: string };

/** The version before that of a job. @throws StoreError */
export type LoadLastGood = (job: AnyJob) => Promise<LastGood>;

/** Loads each certificate's once, however many targets ask. */
export function createLoadLastGood(ports: DeployPorts, run: DeployRun): LoadLastGood {
  const known = new Map<string, Promise<LastGood>>();
  return (job) => {
    const { certificate } = job.delivery;
    const loading = known.get(certificate) ?? load(job, ports, run);
    known.set(certificate, loading);
    return loading;
  };
}

async function load(
  { delivery, facts }: AnyJob,
  { store, clock }: DeployPorts,
  { signal }: DeployRun,
): Promise<LastGood> {
  const { certificate: name } = delivery;
  const [entry, stored] = await Promise.all([
    store.describe(name, signal),
    store.read(name, 'AWSPREVIOUS', signal),
  ]);
  if (stored?.value.kind !== 'certificate') return { refusal: 'there is none' };
  const isRevoked = isRevokedVersion(entry?.state.revoked, stored.version);
  const { names } = facts;
  const judged = judgeReturn(stored.value.certificate, { names, isRevoked, now: clock.now() });
  return 'refusal' in judged ? judged : { delivery: describeDelivery(name, stored.version, judged.bundle) };
}
