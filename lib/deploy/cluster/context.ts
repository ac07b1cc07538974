// What all targets of one cluster share during one invocation.
import type { Cluster } from '../../ports/cluster.ts';
import type { DeployInvocation, DeployPorts, LoadLastGood } from '../invocation.ts';
import type { Restarts } from './restarts.ts';
import type { KubernetesSecretLists } from './secret-lists.ts';
import type { WorkloadLists } from './workload-lists.ts';

/** One cluster, with what has been read of it. */
export interface ClusterContext {
  readonly cluster: Cluster;
  readonly lists: WorkloadLists;
  readonly secrets: KubernetesSecretLists;
  readonly restarts: Restarts;
  /** Versions that this invocation has taken back at a target. */
  readonly takenBack: Set<string>;
  /** How many targets are worked on at once. */
  readonly concurrency: number;
  readonly loadLastGood: LoadLastGood;
  readonly ports: DeployPorts;
  readonly invocation: DeployInvocation;
}
