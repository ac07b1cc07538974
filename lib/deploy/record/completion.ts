// Probes a certificate and sends the delivery event once all its targets have it.

import { nameDestination } from '../../policy/delivery/secret-plan.ts';
import { announceDelivered } from '../../policy/events/announcement.ts';
import { describeError, toError } from '../../ports/errors.ts';
import { EventError } from '../../ports/events.ts';
import type { ServedWord } from '../../state/delivery.ts';
import type { AnyJob, DeployInvocation, DeployPorts, JobResult } from '../invocation.ts';
import type { CertificateToDeliver } from '../plan/selected.ts';
import { probeOnce } from './first-probe.ts';
import { oweDelivery } from './owed-events.ts';

/** How a delivery became complete. `first`: the delivery record does not say so yet. `again`: it did, and a
 *  target was put right. */
export type Completion = 'first' | 'again';

/** Probes what is served and sends the event, for a delivery that this invocation completed. Returns what the
 *  probe found; `undefined` if nothing was probed. Never rejects: a problem here is logged, and is no failure
 *  of the delivery. */
export async function recordCompletion(
  selected: CertificateToDeliver,
  completion: Completion,
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<ServedWord | undefined> {
  const served = await probeOnce(selected, ports, invocation);
  await announceDelivery(selected, { completion, served }, ports, invocation);
  return served;
}

/** Whether this invocation delivered the last missing target, by what it knows itself. */
export function isCompletedHere(
  { jobs }: CertificateToDeliver,
  results: ReadonlyMap<AnyJob, JobResult>,
): boolean {
  const ends = jobs.map((job) => results.get(job));
  return (
    jobs.every((job, index) => !job.freeze && (ends[index]?.phase ?? job.phase) === 'rolled-out') &&
    ends.some((end) => end?.report.outcome === 'delivered')
  );
}

async function announceDelivery(
  { name, arn, version, jobs }: CertificateToDeliver,
  { completion, served }: { readonly completion: Completion; readonly served: ServedWord | undefined },
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<void> {
  const { putEvents, clock, log } = ports;
  const [job] = jobs;
  if (!putEvents || !job) return;
  const { fingerprint, notAfter } = job.delivery;
  const at = clock.now();
  const fields = { certificate: name, version };
  const announcement = announceDelivered({
    ...fields,
    arn,
    domains: job.facts.names,
    at,
    notAfter,
    fingerprint,
    targets: jobs.map(({ target }) => nameDestination(target, name)),
    served,
    ...(completion === 'again' ? { again: at.toISOString() } : {}),
  });
  try {
    const [result = new EventError('EventFailed', 'the bus gave no result')] = await putEvents(
      [announcement],
      invocation.cleanUpSignal,
    );
    if (result !== 'put') throw result;
    log.info('delivery announced', fields);
  } catch (error) {
    log.warn('delivery not announced', { ...fields, problem: describeError(toError(error)) });
    const owed = {
      kind: 'delivered',
      at,
      version,
      notAfter,
      fingerprint,
      isRepeat: completion === 'again',
    } as const;
    await oweDelivery(name, owed, ports, invocation);
  }
}
