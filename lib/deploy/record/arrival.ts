// What follows once a certificate is at all its targets: a look at what is served, and an event for others.

import { nameDestination } from '../../policy/delivery/secret.ts';
import type { ServedWord } from '../../policy/serving/served.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { Selected } from '../plan/selected.ts';
import type { AnyJob, DeployPorts, DeployRun, JobResult } from '../run.ts';
import { takeFirstLook } from './first-probe.ts';

/** What is served, where this pass brought the certificate to the last of its targets, and somebody could look; `undefined`
 *  elsewhere. Nothing that goes wrong here is a failure of the delivery. Never rejects. */
export async function followArrival(
  selected: Selected,
  results: ReadonlyMap<AnyJob, JobResult>,
  ports: DeployPorts,
  run: DeployRun,
): Promise<ServedWord | undefined> {
  if (!hasArrived(selected, results, run)) return undefined;
  const served = await takeFirstLook(selected, ports, run);
  await announceArrival(selected, served, ports, run);
  return served;
}

function hasArrived(
  { jobs }: Selected,
  results: ReadonlyMap<AnyJob, JobResult>,
  { dryRun }: DeployRun,
): boolean {
  const ends = jobs.map((job) => results.get(job));
  return (
    !dryRun &&
    jobs.every((job, index) => !job.hold && (ends[index]?.step ?? job.step) === 'rolled-out') &&
    ends.some((end) => end?.report.outcome === 'delivered')
  );
}

async function announceArrival(
  { name, version, jobs }: Selected,
  served: ServedWord | undefined,
  { announce, log }: DeployPorts,
  { cleanUpSignal }: DeployRun,
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
