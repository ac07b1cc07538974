// The Deployment controller: ReplicaSets of the newest and of older templates, and the progress deadline.
import { amountOf, type Pod, type Situation, type Workload } from './pods.ts';

/** One step of a rollout, as k8s.io/kubernetes/pkg/controller/deployment takes it. */
export function stepDeployment(pods: readonly Pod[], situation: Situation): readonly Pod[] {
  const { spec, newest, isReady, make } = situation;
  if (spec.paused) return pods;
  const fresh = pods.filter(({ revision }) => revision === newest);
  const old = pods.filter(({ revision }) => revision !== newest);
  const isRecreated = spec.strategy.type === 'Recreate';
  if (isRecreated && old.length > 0) return fresh;
  if (fresh.length > spec.replicas) return [...old, ...fresh.slice(0, spec.replicas)];
  const { surge, unavailable } = isRecreated ? { surge: 0, unavailable: 0 } : limitsOf(spec);
  const missing = Math.min(spec.replicas - fresh.length, spec.replicas + surge - pods.length);
  if (missing > 0) return [...pods, ...Array.from({ length: missing }, () => make(undefined))];
  const fewest = spec.replicas - unavailable;
  const spare = pods.length - fewest - fresh.filter((pod) => !isReady(pod)).length;
  if (spare <= 0 || old.length === 0) return pods;
  // Those that do not run go first.
  const broken = old.filter((pod) => !isReady(pod)).slice(0, spare);
  const surplus = Math.max(pods.filter(isReady).length - fewest, 0);
  const gone = broken.length > 0 ? broken : old.slice(0, surplus);
  return gone.length === 0 ? pods : pods.filter((pod) => !gone.includes(pod));
}

function limitsOf({ replicas, strategy }: Situation['spec']) {
  const { maxSurge, maxUnavailable } = strategy.rollingUpdate;
  const surge = amountOf(maxSurge, replicas, Math.ceil);
  const unavailable = amountOf(maxUnavailable, replicas, Math.floor);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** What the status says of pods, and the condition `Progressing`. */
export interface DeploymentStatus {
  readonly replicas: number;
  readonly updated: number;
  readonly ready: number;
  readonly reason?: string;
  /** When `reason` was last set anew, epoch milliseconds. */
  readonly since: number;
}

/** The status after a sync at the instant `now`: the deadline counts from the last progress. */
export function judgeProgress(
  before: DeploymentStatus,
  pods: readonly Pod[],
  { spec, newest, isReady }: Situation,
  now: number,
): DeploymentStatus {
  const updated = pods.filter(({ revision }) => revision === newest).length;
  const counts = { replicas: pods.length, updated, ready: pods.filter(isReady).length };
  const { reason, since } = before;
  if (spec.paused) return { ...counts, ...(reason === undefined ? {} : { reason }), since };
  const isComplete = [counts.replicas, updated, counts.ready].every((count) => count === spec.replicas);
  if (isComplete) return { ...counts, reason: 'NewReplicaSetAvailable', since: now };
  const hasProgressed =
    updated > before.updated ||
    counts.replicas - updated < before.replicas - before.updated ||
    counts.ready > before.ready;
  if (hasProgressed || reason === undefined) return { ...counts, reason: 'ReplicaSetUpdated', since: now };
  const isLate = reason !== 'NewReplicaSetAvailable' && now - since > spec.progressDeadlineSeconds * 1000;
  return { ...counts, reason: isLate ? 'ProgressDeadlineExceeded' : reason, since };
}

const descriptions: Readonly<Record<string, string>> = {
  ProgressDeadlineExceeded: 'has timed out progressing.',
  NewReplicaSetAvailable: 'has successfully progressed.',
};

/** The status as the API has it, without the observed generation. */
export function describeDeployment({ spec }: Workload, status: DeploymentStatus): object {
  const { replicas, updated, ready, reason } = status;
  const unavailable = limitsOf(spec).unavailable;
  const isAvailable = ready >= spec.replicas - unavailable;
  const progress = reason && {
    type: 'Progressing',
    status: reason === 'ProgressDeadlineExceeded' ? 'False' : 'True',
    reason,
    message: `ReplicaSet ${descriptions[reason] ?? 'is progressing.'}`,
  };
  return {
    ...withoutZeros({
      replicas,
      updatedReplicas: updated,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: replicas - ready,
    }),
    conditions: [
      {
        type: 'Available',
        status: isAvailable ? 'True' : 'False',
        reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      },
      ...(progress ? [progress] : []),
    ],
  };
}

/** The API leaves counts of zero out. */
export function withoutZeros(counts: Readonly<Record<string, number>>): object {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}
