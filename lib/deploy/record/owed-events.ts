// Notes deliveries that the bus was not told of, and puts their events in a later pass.
import { nameDestination } from '../../policy/delivery/secret-plan.ts';
import { type Announcement, announceDelivered } from '../../policy/events/announcement.ts';
import { changeOwed, clearOwed, putOwed } from '../../ports/owed-events.ts';
import { addOwed, type OwedDelivery } from '../../state/events.ts';
import type { DeployInvocation, DeployPorts } from '../invocation.ts';
import type { CertificateToDeliver, DeliverySelection } from '../plan/selected.ts';

/** A delivery to tell, and whose it is. */
interface UntoldDelivery {
  readonly selected: CertificateToDeliver;
  readonly event: OwedDelivery;
}

/** Notes on the certificate's tags that the bus is owed the event of a delivery. Never rejects. */
export async function oweDelivery(
  name: string,
  event: OwedDelivery,
  ports: Pick<DeployPorts, 'store' | 'log'>,
  { cleanUpSignal }: DeployInvocation,
): Promise<void> {
  await changeOwed(name, (owed) => addOwed(owed, event), ports, cleanUpSignal);
}

/** Puts the events of deliveries that are owed and still so, and clears the marks of what the bus has, and of
 *  what is not so any more. Of invocations for a cluster each, that of the first target's does. What cannot
 *  be put or cleared is left to the next pass. Never rejects. */
export async function putOwedDeliveries(
  selections: readonly DeliverySelection[],
  { putEvents, ...ports }: Pick<DeployPorts, 'putEvents' | 'store' | 'log'>,
  { signal, cleanUpSignal }: DeployInvocation,
): Promise<void> {
  if (!putEvents) return;
  const untold = selections.flatMap(findUntold);
  const owed = untold.filter(isStillSo);
  await clear(
    untold.filter((one) => !owed.includes(one)),
    ports,
    cleanUpSignal,
  );
  const bus = { putEvents, log: ports.log };
  const put = await putOwed(owed, ({ selected, event }) => announceOwed(selected, event), bus, signal);
  for (const { selected, event } of put)
    ports.log.info('delivery announced', { certificate: selected.name, version: event.version });
  await clear(put, ports, cleanUpSignal);
}

function findUntold(selection: DeliverySelection): readonly UntoldDelivery[] {
  if (selection.kind !== 'selected') return [];
  const { jobs, requested, owedEvents = [] } = selection;
  const [first] = jobs;
  if (!first || !requested.includes(first)) return [];
  return owedEvents.flatMap((event) => (event.kind === 'delivered' ? [{ selected: selection, event }] : []));
}

/** Whether the version is at all targets of today. If not, it is told once it is, with the id of then if the
 *  targets are the same; a version that another has replaced is told no more. */
function isStillSo({ selected: { version, jobs }, event }: UntoldDelivery): boolean {
  return event.version === version && jobs.every(({ freeze, phase }) => !freeze && phase === 'rolled-out');
}

function clear(
  over: readonly UntoldDelivery[],
  ports: Pick<DeployPorts, 'store' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  const marks = over.map(({ selected: { name }, event }) => ({ name, event }));
  return clearOwed(marks, ports, signal);
}

function announceOwed(
  { name, arn, jobs }: CertificateToDeliver,
  { isRepeat, ...event }: OwedDelivery,
): Announcement {
  return announceDelivered({
    ...event,
    certificate: name,
    arn,
    domains: jobs[0]?.facts.names,
    targets: jobs.map(({ target }) => nameDestination(target, name)),
    ...(isRepeat ? { again: event.at.toISOString() } : {}),
  });
}
