// Lists everything in a cluster that may use the Secrets of a namespace.

import { type WorkloadKind, workloadKinds } from '../../certificate/rollout-spec.ts';
import type { PossibleUsers } from '../../policy/delivery/pruning.ts';
import { otherKinds, type Workload } from '../../policy/kubernetes/objects.ts';
import { findUsersOfPods } from '../../policy/kubernetes/secret-users.ts';
import type { TlsObject } from '../../policy/kubernetes/tls-objects.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';
import { describeError } from '../../ports/errors.ts';

/** Everything that may use Secrets of the namespace. Kinds that the cluster does not have are left out;
 *  ListenerSets and Jobs that may not be listed are in `unseen` and `unseenJobs`.
 *  @throws ClusterError if anything else cannot be listed: then no Secret is known to be unused. */
export async function listUsers(
  namespace: string,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<PossibleUsers> {
  const [workloads, others, jobs, objects, sets, granted] = await Promise.all([
    Promise.all(workloadKinds.map((kind) => listWorkloads(namespace, kind, cluster, signal))),
    Promise.all(otherKinds.map((kind) => cluster.listOthers(namespace, kind, signal))),
    tolerate(() => cluster.listOthers(namespace, 'Job', signal)),
    cluster.listTlsObjects(namespace, ['Ingress', 'Gateway'], signal),
    listListenerSets(namespace, cluster, signal),
    cluster.listGrantedSources(namespace, signal),
  ]);
  const far = await Promise.all(
    granted.map(async (source): Promise<Listed<TlsObject>> => {
      if (source.kind === 'ListenerSet') return listListenerSets(source.namespace, cluster, signal);
      return { objects: await cluster.listTlsObjects(source.namespace, [source.kind], signal) };
    }),
  );
  const unseen = [sets, ...far].flatMap(({ problem }) => problem ?? []);
  return {
    workloads: workloads.flat(),
    others: findUsersOfPods([...others.flat(), ...jobs.objects]),
    objects: [...objects, ...sets.objects, ...far.flatMap((list) => list.objects)],
    unseen: unseen[0],
    unseenJobs: jobs.problem,
  };
}

async function listWorkloads(
  namespace: string,
  kind: WorkloadKind,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<readonly Workload[]> {
  try {
    return await cluster.listWorkloads(namespace, kind, signal);
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'NotFound') return [];
    throw error;
  }
}

/** Objects of one kind and namespace, or in `problem` why they may not be listed. */
interface Listed<T> {
  readonly objects: readonly T[];
  readonly problem?: string;
}

function listListenerSets(
  namespace: string,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<Listed<TlsObject>> {
  return tolerate(() => cluster.listTlsObjects(namespace, ['ListenerSet'], signal));
}

/** The list, or why RBAC forbids it: a right that versions before did not need. */
async function tolerate<T>(list: () => Promise<readonly T[]>): Promise<Listed<T>> {
  try {
    return { objects: await list() };
  } catch (error) {
    if (!(error instanceof ClusterError && error.code === 'Forbidden')) throw error;
    return { objects: [], problem: describeError(error) };
  }
}
