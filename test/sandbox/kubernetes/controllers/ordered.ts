// The controllers of StatefulSets, whose pods have an order, and of DaemonSets, which have a pod a node.
import { withoutZeros } from './deployment.ts';
import { amountOf, type Pod, type Situation } from './pods.ts';

/** One step of a StatefulSet, as k8s.io/kubernetes/pkg/controller/statefulset takes it. With OrderedReady a
 *  pod that is not ready is waited for before anything else, also if its template is no longer the newest
 *  (kubernetes/kubernetes#67250). */
export function stepStatefulSet(pods: readonly Pod[], situation: Situation): readonly Pod[] {
  const { spec, newest, current, isReady, make } = situation;
  const { type, rollingUpdate } = spec.updateStrategy;
  const isRolling = type === 'RollingUpdate';
  const first = spec.ordinals.start;
  const ordinals = Array.from({ length: spec.replicas }, (_, index) => first + index);
  const byOrdinal = new Map(pods.map((pod) => [Number(pod.name.split('-').at(-1)), pod]));
  const surplus = [...byOrdinal].find(([ordinal]) => !ordinals.includes(ordinal))?.[1];
  if (surplus) return pods.filter((pod) => pod !== surplus);
  const isOrdered = spec.podManagementPolicy === 'OrderedReady';
  for (const ordinal of ordinals) {
    const pod = byOrdinal.get(ordinal);
    if (!pod) {
      const isBelow = isRolling && ordinal < rollingUpdate.partition;
      return [...pods, make(String(ordinal), { revision: isBelow ? current : newest })];
    }
    if (isOrdered && !isReady(pod)) return pods;
  }
  if (!isRolling) return pods;
  for (const ordinal of ordinals.toReversed()) {
    const pod = byOrdinal.get(ordinal);
    if (!pod || ordinal < rollingUpdate.partition) return pods;
    if (pod.revision !== newest) return pods.filter((other) => other !== pod);
    if (!isReady(pod)) return pods;
  }
  return pods;
}

/** Whether a StatefulSet's rollout is complete, so that its newest revision becomes the current one. */
export function isComplete(pods: readonly Pod[], { spec, newest, isReady }: Situation): boolean {
  const isRolling = spec.updateStrategy.type === 'RollingUpdate';
  const isAll = pods.length === spec.replicas;
  return isRolling && isAll && pods.every((pod) => pod.revision === newest && isReady(pod));
}

/** The status as the API has it, without the observed generation. */
export function describeStatefulSet(pods: readonly Pod[], { newest, current, isReady }: Situation): object {
  const ready = pods.filter(isReady).length;
  const countOf = (wanted: string) => pods.filter(({ revision }) => revision === wanted).length;
  return {
    // It alone always has this one.
    availableReplicas: ready,
    ...withoutZeros({
      replicas: pods.length,
      readyReplicas: ready,
      currentReplicas: countOf(current),
      updatedReplicas: countOf(newest),
    }),
    currentRevision: current,
    updateRevision: newest,
  };
}

/** One step of a DaemonSet with maxSurge 0, as k8s.io/kubernetes/pkg/controller/daemon takes it: a pod that
 *  is not available is replaced at once, and counts against `maxUnavailable` before and after. */
export function stepDaemonSet(pods: readonly Pod[], situation: Situation): readonly Pod[] {
  const { spec, newest, nodes, isReady, make } = situation;
  const names = nodes.map(({ name }) => name);
  const strangers = pods.filter(({ node }) => !names.includes(node ?? ''));
  if (strangers.length > 0) return pods.filter((pod) => !strangers.includes(pod));
  const missing = names.filter((name) => !pods.some(({ node }) => node === name));
  if (missing.length > 0) return [...pods, ...missing.map((node) => make(undefined, { node }))];
  const { type, rollingUpdate } = spec.updateStrategy;
  if (type !== 'RollingUpdate') return pods;
  const most = Math.max(amountOf(rollingUpdate.maxUnavailable, nodes.length, Math.ceil), 1);
  const old = pods.filter(({ revision }) => revision !== newest);
  const broken = old.filter((pod) => !isReady(pod));
  const room = Math.max(most - pods.filter((pod) => !isReady(pod)).length, 0);
  const gone = [...broken, ...old.filter(isReady).slice(0, room)];
  return gone.length === 0 ? pods : pods.filter((pod) => !gone.includes(pod));
}

/** The status as the API has it, without the observed generation. */
export function describeDaemonSet(pods: readonly Pod[], { nodes, newest, isReady }: Situation): object {
  const ready = pods.filter(isReady).length;
  return {
    currentNumberScheduled: pods.length,
    desiredNumberScheduled: nodes.length,
    numberMisscheduled: 0,
    numberReady: ready,
    ...withoutZeros({
      updatedNumberScheduled: pods.filter(({ revision }) => revision === newest).length,
      numberAvailable: ready,
      numberUnavailable: nodes.length - ready,
    }),
  };
}
