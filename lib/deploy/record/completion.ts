// What follows once a certificate is at all its targets: a look at what is served, and an event for others.

import { nameDestination } from '../../policy/delivery/secret.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { ServedWord } from '../../state/delivery.ts';
import type { AnyJob, DeployInvocation, DeployPorts, JobResult } from '../invocation.ts';
import type { CertificateToDeliver } from '../plan/selected.ts';
import { probeOnce } from './first-probe.ts';

/** What is served, where this pass brought the certificate to the last of its targets, and somebody could look; `undefined`
 *  elsewhere. Nothing that goes wrong here is a failure of the delivery. Never rejects. */
export async function recordCompletion(
  selected: CertificateToDeliver,
  results: ReadonlyMap<AnyJob, JobResult>,
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<ServedWord | undefined> {
  if (!isComplete(selected, results, invocation)) return undefined;
  const served = await probeOnce(selected, ports, invocation);
  await announceDelivery(selected, served, ports, invocation);
  return served;
}

function isComplete(
  { jobs }: CertificateToDeliver,
  results: ReadonlyMap<AnyJob, JobResult>,
  { dryRun }: DeployInvocation,
): boolean {
  const ends = jobs.map((job) => results.get(job));
  return (
    !dryRun &&
    jobs.every((job, index) => !job.freeze && (ends[index]?.step ?? job.step) === 'rolled-out') &&
    ends.some((end) => end?.report.outcome === 'delivered')
  );
}

async function announceDelivery(
  { name, version, jobs }: CertificateToDeliver,
  served: ServedWord | undefined,
  { announce, log }: DeployPorts,
  { cleanUpSignal }: DeployInvocation,
): Promise<void> {
  const [job] = jobs;
  if (!announce || !job) return;
  const { fingerprint, notAfter } = job.delivery;
  const targets = jobs.map(({ target }) => nameDestination(target, name));
  const fields = { certificate: name, version };
  try {
    await announce({ ...fields, fingerprint, notAfter, targets, served }, cleanUpSignal);
    log.info('delivery announced', fields);
  } catch (error) {
    log.warn('delivery not announced', { ...fields, problem: describeError(toError(error)) });
  }
}
