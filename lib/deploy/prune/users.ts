// Lists everything in a cluster that may use the Secrets of a namespace.

import { workloadKinds } from '../../certificate/rollout-spec.ts';
import type { PossibleUsers } from '../../policy/delivery/pruning.ts';
import { type OtherKind, type OtherUser, otherKinds } from '../../policy/kubernetes/objects.ts';
import { findUsersOfPods } from '../../policy/kubernetes/secret-users.ts';
import { type Cluster, ClusterError } from '../../ports/cluster.ts';

/** Everything that may use Secrets of the namespace.
 *  @throws ClusterError if any of it cannot be listed: then no Secret is known to be unused. */
export async function listUsers(
  namespace: string,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<PossibleUsers> {
  const [workloads, others, objects, gatewayNamespaces] = await Promise.all([
    Promise.all(workloadKinds.map((kind) => cluster.listWorkloads(namespace, kind, signal))),
    Promise.all(otherKinds.map((kind) => listOthers(namespace, kind, cluster, signal))),
    cluster.listTlsObjects(namespace, ['Ingress', 'Gateway'], signal),
    cluster.listGatewayNamespaces(namespace, signal),
  ]);
  const gateways = await Promise.all(
    gatewayNamespaces.map((name) => cluster.listTlsObjects(name, ['Gateway'], signal)),
  );
  return {
    workloads: workloads.flat(),
    others: findUsersOfPods(others.flat()),
    objects: [...objects, ...gateways.flat()],
  };
}

async function listOthers(
  namespace: string,
  kind: OtherKind,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<readonly OtherUser[]> {
  try {
    return await cluster.listOthers(namespace, kind, signal);
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'NotFound') return [];
    throw error;
  }
}
