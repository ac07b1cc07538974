// Pods as they run: whether those of a workload have started with what a Secret contains.
import type { ObjectOwner, Workload } from './objects.ts';

/** A pod that is not over. */
export interface RunningPod {
  readonly name: string;
  /** The object that controls it; absent: nothing does. */
  readonly owner?: ObjectOwner | undefined;
  /** Hash of its template: a label that ReplicaSets, StatefulSets and DaemonSets set. */
  readonly revision?: string | undefined;
  readonly isReady: boolean;
  /** Whether a node runs it, or tries to. */
  readonly isScheduled: boolean;
  readonly createdAt?: Date | undefined;
  /** When each of its running containers started. Empty: none runs, so the next start reads Secrets anew. */
  readonly starts: readonly Date[];
}

/** The pods of a workload. A Deployment's or Rollout's belong to its ReplicaSets, whose names are its own and
 *  their hash. */
export function podsOf(
  { kind, name }: Pick<Workload, 'kind' | 'name'>,
  pods: readonly RunningPod[],
): readonly RunningPod[] {
  return pods.filter(({ owner, revision }) => {
    if (owner?.group !== 'apps') return false;
    if (kind !== 'Deployment' && kind !== 'Rollout') return owner.kind === kind && owner.name === name;
    return owner.kind === 'ReplicaSet' && revision !== undefined && owner.name === `${name}-${revision}`;
  });
}

/** Whether every container of the workload's pods started after `since`. False if it has no pods, or if one
 *  started in the same second: Kubernetes does not say more. */
export function haveStartedSince(
  workload: Pick<Workload, 'kind' | 'name'>,
  pods: readonly RunningPod[],
  since: Date,
): boolean {
  const own = podsOf(workload, pods);
  const second = Math.floor(since.getTime() / 1000) * 1000;
  return own.length > 0 && own.every(({ starts }) => starts.every((start) => start.getTime() > second));
}

/** How many pods that started since a rollout began are ready, and how many got a node and are not. */
export interface FreshPods {
  readonly ready: number;
  readonly failing: number;
}

/** Counts the workload's pods that were created at `since` or later. */
export function countFresh(
  workload: Pick<Workload, 'kind' | 'name'>,
  pods: readonly RunningPod[],
  since: Date,
): FreshPods {
  const second = Math.floor(since.getTime() / 1000) * 1000;
  const fresh = podsOf(workload, pods).filter(
    ({ createdAt }) => createdAt !== undefined && createdAt.getTime() >= second,
  );
  const ready = fresh.filter(({ isReady }) => isReady).length;
  return { ready, failing: fresh.filter(({ isReady, isScheduled }) => isScheduled && !isReady).length };
}

/** The pods of a workload that are not ready and have another template than its newest one: a StatefulSet
 *  does not replace them by itself. */
export function findStuckPods(workload: Workload, pods: readonly RunningPod[]): readonly string[] {
  const { updateRevision } = workload;
  if (updateRevision === undefined) return [];
  return podsOf(workload, pods)
    .filter(({ isReady, revision }) => !isReady && revision !== updateRevision)
    .map(({ name }) => name);
}
