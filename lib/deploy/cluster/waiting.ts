// Targets that back off because of their cluster: tried as soon as it answers again.
import { describeError } from '../../ports/errors.ts';
import type { OperationRecord } from '../../ports/operations.ts';
import {
  type AnyJob,
  type DeployInvocation,
  type DeployPorts,
  isForCluster,
  type Job,
} from '../invocation.ts';
import type { DeliverySelection } from '../plan/selected.ts';
import { wasAnswered } from '../record/cluster-troubles.ts';
import { isAbout, isAboutCluster } from '../record/problem.ts';
import { openCluster } from './cluster.ts';

/** Of the jobs that back off, those that wait because of their cluster, by cluster: what is remembered of
 *  their certificate is that the cluster was in trouble, or the cluster is noted as such and nothing is
 *  remembered of the target itself. Reads the notes of clusters only if there is a job to judge by them.
 *  Never rejects. */
export async function findWaiting(
  backingOff: Iterable<AnyJob>,
  selections: readonly DeliverySelection[],
  { operations, log }: Pick<DeployPorts, 'operations' | 'log'>,
  { signal }: Pick<DeployInvocation, 'signal'>,
): Promise<ReadonlyMap<string, readonly Job[]>> {
  const jobs = new Set([...backingOff].filter(isForCluster));
  if (jobs.size === 0) return new Map();
  const noted = await readClusters();
  const waiting = selections.flatMap((selection) => {
    if (selection.kind !== 'selected') return [];
    const { problem, requested } = selection;
    return requested.filter(isForCluster).filter((job) => {
      if (!jobs.has(job)) return false;
      if (problem && isAbout(problem, job)) return isAboutCluster(problem, job);
      return Object.hasOwn(noted, job.target.cluster);
    });
  });
  return Map.groupBy(waiting, ({ target }) => target.cluster);

  async function readClusters(): Promise<OperationRecord['clusters']> {
    try {
      return (await operations?.read(signal))?.clusters ?? {};
    } catch (error) {
      log.warn('installation not read', { problem: describeError(error) });
      return {};
    }
  }
}

/** Those of a cluster's waiting jobs that may be tried now: all if it answers for the first, else none.
 *  Changes nothing. Never rejects. */
export async function findReachable(
  cluster: string,
  waiting: readonly Job[],
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly Job[]> {
  if (waiting.length === 0) return [];
  const destination = await openCluster(cluster, waiting.slice(0, 1), ports, invocation);
  try {
    const [result] = await destination.plan();
    return result && wasAnswered(result) ? waiting : [];
  } finally {
    await destination.close().catch(() => undefined);
  }
}
