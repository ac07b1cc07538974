// Notes which clusters cannot be reached, once for all of their targets.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { isAgentCluster } from '../../policy/delivery/agents.ts';
import { type FoundTrouble, recordTrouble } from '../../policy/health/trouble.ts';
import { ClusterError, type ClusterErrorCode } from '../../ports/cluster.ts';
import { describeError } from '../../ports/errors.ts';
import type { Trouble } from '../../state/health.ts';
import {
  type AnyJob,
  type DeployInvocation,
  type DeployPorts,
  isForCluster,
  type JobResult,
} from '../invocation.ts';
import type { DeliverySelection } from '../plan/selected.ts';

/** Codes of errors that are about a cluster if all of its targets fail with one. */
const codesOfClusters: readonly ClusterErrorCode[] = [
  'Unreachable',
  'Unavailable',
  'SignInFailed',
  'Unsupported',
  'Malformed',
];
/** Clusters that have room on the tags of one AWS secret. */
const mostClusters = 30;
/** Clusters written at once. */
const concurrency = 8;

/** What this invocation found out of each cluster that it tried to reach: its trouble, or `null` if it
 *  answered. Absent: nobody knows. */
export type ClusterFindings = ReadonlyMap<string, FoundTrouble | null>;

/** Judges each cluster by the results of its targets: it is in trouble if none of them was answered. */
export function judgeClusters(results: ReadonlyMap<AnyJob, JobResult>): ClusterFindings {
  const tried = [...results].flatMap(([job, result]) =>
    isForCluster(job) && !result.isUntried ? [{ cluster: job.target.cluster, result }] : [],
  );
  const judged = new Map<string, FoundTrouble | null>();
  for (const [cluster, own] of Map.groupBy(tried, (one) => one.cluster)) {
    const [error] = own.flatMap(({ result }) => result.failures.find(isAboutCluster) ?? []);
    if (own.some(({ result }) => wasAnswered(result))) judged.set(cluster, null);
    else if (error) judged.set(cluster, { code: error.code, words: withoutCall(error, cluster) });
  }
  return judged;
}

/** The words of an error without the call that met it: any other would have. */
function withoutCall(error: ClusterError, cluster: string): string {
  const words = describeError(error);
  const subject = ` in cluster ${cluster}: `;
  const at = words.indexOf(subject);
  return at === -1 ? words : words.slice(at + subject.length);
}

/** Whether the cluster answered for the target, be it by refusing it. */
export function wasAnswered({ failures }: JobResult): boolean {
  if (failures.length === 0) return true;
  return failures.some((error) => error instanceof ClusterError) && !failures.some(isAboutCluster);
}

function isAboutCluster(error: Error): error is ClusterError {
  return error instanceof ClusterError && codesOfClusters.includes(error.code);
}

/** Notes the trouble of clusters that have one, and takes away that of clusters that were reached, that get
 *  nothing, or that are not `deploy`'s any more. Writes only what became another trouble. What cannot be
 *  written is logged. Returns the clusters whose trouble is noted. Never rejects. */
export async function recordClusters(
  findings: ClusterFindings,
  selections: readonly DeliverySelection[],
  { operations, clock, log }: Pick<DeployPorts, 'operations' | 'clock' | 'log'>,
  invocation: DeployInvocation,
): Promise<ReadonlySet<string>> {
  const { inventory, cleanUpSignal } = invocation;
  const idle = findIdle(selections, invocation).map((cluster) => [cluster, null] as const);
  const found = new Map([...idle, ...findings]);
  if (!operations || found.size === 0) return new Set();
  try {
    const { clusters: recorded } = await operations.read(cleanUpSignal);
    const isOurs = (name: string) =>
      Object.hasOwn(inventory.clusters, name) && !isAgentCluster(name, inventory);
    const cleared = Object.keys(recorded).filter((name) => found.get(name) === null || !isOurs(name));
    const troubles = [...found].flatMap(([name, trouble]): readonly ClusterTrouble[] => {
      const noted = trouble && recordTrouble(trouble, recorded[name], clock.now());
      return noted && noted !== recorded[name] ? [[name, noted]] : [];
    });
    const room = mostClusters - Object.keys(recorded).length + cleared.length;
    const isNew = ([name]: ClusterTrouble) => !Object.hasOwn(recorded, name);
    const unwritten = troubles.filter(isNew).slice(Math.max(0, room));
    const changes = [
      ...cleared.map((name) => [name, null] as const),
      ...troubles.filter((trouble) => !unwritten.includes(trouble)),
    ];
    await mapConcurrently(changes, concurrency, ([name, trouble]) =>
      operations.recordCluster(name, trouble, cleanUpSignal),
    );
    const clusters = unwritten.map(([name]) => name);
    const ill = [...found].flatMap(([name, trouble]) => (trouble && !clusters.includes(name) ? [name] : []));
    if (unwritten.length === 0) return new Set(ill);
    const problem = `more than ${mostClusters} clusters are in trouble, and only so many are noted`;
    log.error('installation not recorded', { clusters, problem });
    return new Set(ill);
  } catch (error) {
    log.error('installation not recorded', { problem: describeError(error) });
    return new Set();
  }
}

type ClusterTrouble = readonly [cluster: string, trouble: Trouble];

/** Clusters of an invocation for whole clusters that no certificate has a target in. */
function findIdle(
  selections: readonly DeliverySelection[],
  { certificates, targets, clusters, delegatedClusters = [], inventory }: DeployInvocation,
): readonly string[] {
  if (certificates || targets || selections.some(({ kind }) => kind === 'failed')) return [];
  const jobs = selections.flatMap((selection) => (selection.kind === 'selected' ? selection.jobs : []));
  const used = new Set(jobs.filter(isForCluster).map(({ target }) => target.cluster));
  const asked = clusters ?? Object.keys(inventory.clusters);
  return asked.filter((name) => !used.has(name) && !delegatedClusters.includes(name));
}
