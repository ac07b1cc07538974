// Probes a certificate and sends the delivery event once all its targets have it.

import { nameDestination } from '../../policy/delivery/secret-plan.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { ServedWord } from '../../state/delivery.ts';
import type { AnyJob, DeployInvocation, DeployPorts, JobResult } from '../invocation.ts';
import type { CertificateToDeliver } from '../plan/selected.ts';
import { probeOnce } from './first-probe.ts';

/** Probes what is served and sends the event, if this invocation delivered the last missing target. Returns
 *  what the probe found; `undefined` if the delivery is not complete or nothing was probed. Never rejects: a
 *  problem here is logged, and is no failure of the delivery. */
export async function recordCompletion(
  selected: CertificateToDeliver,
  results: ReadonlyMap<AnyJob, JobResult>,
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<ServedWord | undefined> {
  if (!isComplete(selected, results)) return undefined;
  const served = await probeOnce(selected, ports, invocation);
  await announceDelivery(selected, served, ports, invocation);
  return served;
}

function isComplete({ jobs }: CertificateToDeliver, results: ReadonlyMap<AnyJob, JobResult>): boolean {
  const ends = jobs.map((job) => results.get(job));
  return (
    jobs.every((job, index) => !job.freeze && (ends[index]?.phase ?? job.phase) === 'rolled-out') &&
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
