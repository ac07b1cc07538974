// The controller of Argo's Rollouts: its restarts, as argo-rollouts/rollout/restart.go makes them. Its
// updates are those of a Deployment: without the steps of a canary, and without blue-green.
import { stepDeployment, withoutZeros } from './deployment.ts';
import { amountOf, type Pod, type Situation } from './pods.ts';

/** How far the restart is that `spec.restartAt` asks for. */
export interface ArgoStatus {
  /** `spec.restartAt` of the last restart that is over. */
  readonly restartedAt?: string | undefined;
  /** Until when it counts pods as available that it has evicted, epoch milliseconds. */
  readonly staleUntil: number;
}

/** How long evicted pods are counted: until it has looked at its ReplicaSets again. */
const staleMs = 500;

/** One step: pods that are older than `restartAt` are evicted, no more at once than may be unavailable, and
 *  one at least. */
export function stepRollout(pods: readonly Pod[], situation: Situation): readonly Pod[] {
  const updated = stepDeployment(pods, situation);
  if (updated !== pods) return updated;
  const { spec, isReady } = situation;
  const old = findOld(pods, situation);
  const { maxUnavailable = '25%' } = spec.strategy.canary ?? spec.strategy.blueGreen ?? {};
  const atOnce = Math.max(amountOf(maxUnavailable, spec.replicas, Math.floor), 1);
  const room = pods.filter(isReady).length - (Math.max(spec.replicas, pods.length) - atOnce);
  const evicted = old.slice(0, Math.max(room, 0));
  return evicted.length === 0 ? pods : pods.filter((pod) => !evicted.includes(pod));
}

/** The status after a step: a restart is over as soon as its last pods are evicted. */
export function judgeRestart(before: ArgoStatus, pods: readonly Pod[], situation: Situation): ArgoStatus {
  const { now } = situation;
  const { restartAt } = situation.spec;
  if (restartAt === undefined || restartAt === before.restartedAt) return before;
  if (now <= Date.parse(restartAt) || findOld(pods, situation).length > 0) return before;
  return { restartedAt: restartAt, staleUntil: now + staleMs };
}

/** None before the instant has come. */
function findOld(pods: readonly Pod[], { spec: { restartAt }, now }: Situation): readonly Pod[] {
  const instant = Date.parse(restartAt ?? '');
  if (!(now > instant)) return [];
  return pods.filter(({ createdAt }) => Math.floor(createdAt / 1000) * 1000 < instant);
}

/** The status as the API has it. */
export function describeRollout(
  pods: readonly Pod[],
  { spec, newest, isReady, now }: Situation,
  { restartedAt, staleUntil }: ArgoStatus,
  generation: number,
): object {
  const available = now < staleUntil ? spec.replicas : pods.filter(isReady).length;
  return {
    observedGeneration: String(generation),
    ...withoutZeros({
      replicas: pods.length,
      updatedReplicas: pods.filter(({ revision }) => revision === newest).length,
      readyReplicas: available,
      availableReplicas: available,
    }),
    ...(restartedAt === undefined ? {} : { restartedAt }),
    phase: available < spec.replicas || restartedAt !== spec.restartAt ? 'Progressing' : 'Healthy',
  };
}
