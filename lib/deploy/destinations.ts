// Delivers the selected jobs to their clusters and regions, all side by side.
import { isAgentCluster } from '../policy/delivery/agents.ts';
import { openAcm } from './acm/acm.ts';
import { describeAgentReport } from './agents.ts';
import { openCluster } from './cluster/cluster.ts';
import { findReachable, findWaiting } from './cluster/waiting.ts';
import { closedDestination, type Destination } from './destination.ts';
import {
  type AnyJob,
  type DeployInvocation,
  type DeployPorts,
  isForAcm,
  isForCluster,
  type Job,
  type JobResult,
} from './invocation.ts';
import { refuseMisfits } from './plan/allowance.ts';
import { findBackingOff } from './plan/back-off.ts';
import type { DeliverySelection } from './plan/selected.ts';

/** Plans each destination of the selected jobs and finishes with it, all side by side: none waits for
 *  another. A job that backs off is left alone, unless it did so because of its cluster, and that answers
 *  again. Returns the result of each job. */
export async function atDestinations(
  selections: readonly DeliverySelection[],
  ports: DeployPorts,
  invocation: DeployInvocation,
  finish: (destination: Destination) => Promise<readonly JobResult[]>,
): Promise<ReadonlyMap<AnyJob, JobResult>> {
  const backingOff = findBackingOff(selections, ports, invocation);
  const refused = refuseMisfits(selections, ports);
  const results = new Map<AnyJob, JobResult>([...backingOff, ...refused]);
  const due = requestedJobs(selections).filter((job) => !results.has(job));
  const allowed = [...backingOff.keys()].filter((job) => !refused.has(job));
  const waiting = await findWaiting(allowed, selections, ports, invocation);
  const deliver = async <T extends AnyJob>(jobs: readonly T[], open: () => Promise<Destination>) => {
    const destination = await open();
    try {
      const finished = await finish(destination);
      for (const [index, job] of jobs.entries()) {
        const result = finished[index];
        if (result) results.set(job, result);
      }
    } finally {
      // What was done counts, even if a connection cannot be closed.
      await destination.close().catch(() => undefined);
    }
  };
  const deliverToCluster = async (name: string, own: readonly Job[]) => {
    const again = await findReachable(name, waiting.get(name) ?? [], ports, invocation);
    const jobs = [...own, ...again];
    if (jobs.length === 0) return;
    await deliver(jobs, async () =>
      isAgentCluster(name, invocation.inventory)
        ? closedDestination(jobs.map(describeAgentReport))
        : openCluster(name, jobs, ports, invocation),
    );
  };
  const byCluster = Map.groupBy(due.filter(isForCluster), ({ target }) => target.cluster);
  const byRegion = Map.groupBy(due.filter(isForAcm), ({ target }) => target.acm.region);
  const clusters = new Set([...byCluster.keys(), ...waiting.keys()]);
  await Promise.all([
    ...[...clusters].map((name) => deliverToCluster(name, byCluster.get(name) ?? [])),
    ...[...byRegion].map(([region, jobs]) => deliver(jobs, () => openAcm(region, jobs, ports, invocation))),
  ]);
  return results;
}

/** The jobs that an invocation is to work on. */
export function requestedJobs(selections: readonly DeliverySelection[]): readonly AnyJob[] {
  return selections.flatMap((selection) => (selection.kind === 'selected' ? selection.requested : []));
}
