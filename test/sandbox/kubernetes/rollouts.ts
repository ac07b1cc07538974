// The workload controllers of the embedded cluster: status follows a changed pod template as time passes.
import * as z from 'zod';
import type { KubernetesObject } from './objects.ts';

/** How long a rollout takes when its pods can run. */
export const defaultRolloutMs = 40;

/** Labels of the only node: pods that select others stay Pending. */
const nodeLabels: Readonly<Record<string, string>> = {
  'kubernetes.io/os': 'linux',
  'kubernetes.io/hostname': 'node-1',
};

const workload = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string(), uid: z.string().optional(), generation: z.number().optional() }),
  spec: z.object({
    replicas: z.number().default(1),
    paused: z.boolean().default(false),
    progressDeadlineSeconds: z.number().default(600),
    strategy: z.object({ type: z.string().optional() }).default({}),
    updateStrategy: z.object({ type: z.string().optional() }).default({}),
    template: z.looseObject({
      metadata: z
        .looseObject({ annotations: z.record(z.string(), z.string()).default({}) })
        .default({ annotations: {} }),
      spec: z.looseObject({ nodeSelector: z.record(z.string(), z.string()).default({}) }),
    }),
  }),
});
type Workload = z.infer<typeof workload>;

/** One pod template on its way. */
interface Progress {
  readonly template: string;
  readonly startedAt: number;
  /** Whether pods of an earlier template run meanwhile. */
  readonly hasOldPods: boolean;
}

type Counts = Readonly<Record<string, number>>;

/** Whether the pods of a workload pass their readiness checks, by its name and the annotations of its pod
 *  template. */
export type AreReady = (name: string, annotations: Readonly<Record<string, string>>) => boolean;

export class Rollouts {
  readonly #progress = new Map<string, Progress>();
  readonly #rolloutMs: number;
  readonly #areReady: AreReady;

  constructor(rolloutMs: number, areReady: AreReady) {
    this.#rolloutMs = rolloutMs;
    this.#areReady = areReady;
  }

  /** The object's status at the instant `now`. A template's rollout begins when this is first asked of it. */
  statusOf(object: KubernetesObject, now: number): object {
    const parsed = workload.parse(object);
    const { metadata, spec, kind } = parsed;
    const key = metadata.uid ?? '';
    const template = JSON.stringify(spec.template);
    const before = this.#progress.get(key);
    const waits = spec.paused || spec.updateStrategy.type === 'OnDelete';
    const progress =
      before && (before.template === template || waits)
        ? before
        : { template, startedAt: now, hasOldPods: before !== undefined };
    this.#progress.set(key, progress);

    const age = now - progress.startedAt;
    const isScheduled = Object.entries(spec.template.spec.nodeSelector).every(
      ([name, value]) => nodeLabels[name] === value,
    );
    const canRun = isScheduled && this.#areReady(metadata.name, spec.template.metadata.annotations);
    const isSeen = age >= this.#rolloutMs / 2 || waits;
    const isDone = canRun && age >= this.#rolloutMs;
    const generation = metadata.generation ?? 1;
    const counts = countPods(kind, parsed, progress, {
      isSeen,
      isDone,
      isOld: progress.template !== template,
      waits,
    });
    const isLate = !isDone && age > spec.progressDeadlineSeconds * 1000;
    return {
      observedGeneration: isSeen ? generation : generation - 1,
      ...counts,
      ...(kind === 'Deployment' ? { conditions: describeProgress(isDone, isLate) } : {}),
    };
  }
}

function countPods(
  kind: string,
  { spec }: Workload,
  { hasOldPods }: Progress,
  { isSeen, isDone, isOld, waits }: Readonly<Record<'isSeen' | 'isDone' | 'isOld' | 'waits', boolean>>,
): Counts {
  // Until the controller has seen a change, the status still praises the template before it.
  const isStale = !isSeen && hasOldPods;
  const all = spec.replicas;
  const isUpdated = isStale || (isDone && !isOld);
  if (kind === 'DaemonSet') {
    const running = isDone || hasOldPods ? 1 : 0;
    return {
      desiredNumberScheduled: 1,
      currentNumberScheduled: 1,
      updatedNumberScheduled: isUpdated ? 1 : 0,
      numberAvailable: running,
      numberReady: running,
      numberMisscheduled: 0,
    };
  }
  if (isDone || !isSeen) {
    const running = isDone || hasOldPods ? all : 0;
    return withoutZeros({
      replicas: running,
      updatedReplicas: isUpdated ? all : 0,
      readyReplicas: running,
      availableReplicas: running,
    });
  }
  if (waits) {
    const running = hasOldPods ? all : 0;
    return withoutZeros({ replicas: running, readyReplicas: running, availableReplicas: running });
  }
  // Under way: one new pod is there and does not run yet. A rolling Deployment makes it beside the old ones.
  const isBeside = kind === 'Deployment' && spec.strategy.type !== 'Recreate';
  const updated = Math.min(1, all);
  const old = hasOldPods ? (isBeside ? all : Math.max(all - 1, 0)) : 0;
  const running = kind === 'Deployment' && !isBeside ? 0 : old;
  return withoutZeros({
    replicas: running + updated,
    updatedReplicas: updated,
    readyReplicas: running,
    availableReplicas: running,
    unavailableReplicas: updated,
  });
}

/** The API leaves counts of zero out. */
function withoutZeros(counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

function describeProgress(isDone: boolean, isLate: boolean): readonly object[] {
  const reason = isLate
    ? 'ProgressDeadlineExceeded'
    : isDone
      ? 'NewReplicaSetAvailable'
      : 'ReplicaSetUpdated';
  const what = isLate
    ? 'has timed out progressing.'
    : isDone
      ? 'has successfully progressed.'
      : 'is progressing.';
  return [
    {
      type: 'Available',
      status: isDone ? 'True' : 'False',
      reason: isDone ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    },
    { type: 'Progressing', status: isLate ? 'False' : 'True', reason, message: `ReplicaSet ${what}` },
  ];
}
