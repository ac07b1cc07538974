// Keeps a valid certificate in a Secret until its successor becomes valid.
import { hasValidCertificate } from '../../policy/delivery/secret-validity.ts';
import type { AnyJob, ClusterContext, Job, JobResult } from '../invocation.ts';
import { describeUndelivered } from '../results.ts';

/** A `pending` result if the Secret contains another certificate that is valid now. `undefined`: deliver now,
 *  because the Secret has this version already or contains nothing that a server could use.
 *  @param begins When the job's version becomes valid.
 *  @throws ClusterError if the Secret cannot be read. */
export async function keepValidSecret(
  job: Job,
  begins: Date,
  { cluster, ports, invocation }: ClusterContext,
): Promise<JobResult | undefined> {
  const { target, delivery } = job;
  const found = await cluster.readSecret(target.namespace, target.secret, invocation.signal);
  const isKept = found !== undefined && hasValidCertificate(found, delivery, target, ports.clock.now());
  return isKept ? describeNotYetValid(job, begins) : undefined;
}

/** The `pending` result of a target that waits until its version is valid. */
export function describeNotYetValid(job: AnyJob, begins: Date): JobResult {
  const { certificate, version } = job.delivery;
  const message = `version ${version} of ${certificate} is not valid before ${begins.toISOString()}; the target keeps its certificate until then. If that is wrong, move AWSCURRENT to another version`;
  return describeUndelivered(job, 'pending', message);
}
