// A version that is not valid yet is not put over one that is: the pass that finds it valid delivers it.
import { hasValidCertificate } from '../../policy/delivery/secret-validity.ts';
import type { AnyJob, ClusterContext, Job, JobResult } from '../invocation.ts';
import { describeStay } from '../results.ts';

/** Leaves the Secret as it is where it holds a certificate that is valid now. `undefined`: it has that version already, or holds
 *  nothing that could be served, and so has nothing to lose by a version that begins later.
 *  @throws ClusterError where the Secret cannot be read. */
export async function keepValid(
  job: Job,
  begins: Date,
  { cluster, ports, invocation }: ClusterContext,
): Promise<JobResult | undefined> {
  const { target, delivery } = job;
  const found = await cluster.readSecret(target.namespace, target.secret, invocation.signal);
  const isKept = found !== undefined && hasValidCertificate(found, delivery, target, ports.clock.now());
  return isKept ? describeEarly(job, begins) : undefined;
}

/** A target that does not get its version before that is valid. */
export function describeEarly(job: AnyJob, begins: Date): JobResult {
  const { certificate, version } = job.delivery;
  const message = `version ${version} of ${certificate} is valid only from ${begins.toISOString()} on, so what is there stays until then; move AWSCURRENT to another version if that is not meant`;
  return describeStay(job, 'pending', message);
}
