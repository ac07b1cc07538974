// Judges the progress of a rollout from a workload's spec and status, as "kubectl rollout status" does.
import * as z from 'zod';
import type { AppsKind } from '../../certificate/rollout-spec.ts';
import { type Rollout, sinceAnnotation, type Workload } from '../../policy/kubernetes/objects.ts';

const count = z.number().default(0);

/** The fields of a Deployment, StatefulSet or DaemonSet that a rollout is judged by. Fields that a kind does
 *  not have get their defaults. */
export const rolloutFields = z.object({
  metadata: z.object({
    name: z.string().default(''),
    generation: z.number(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({
    replicas: z.number().default(1),
    paused: z.boolean().default(false),
    strategy: z.object({ type: z.string().optional() }).optional(),
    updateStrategy: z
      .object({
        type: z.string().optional(),
        rollingUpdate: z.object({ partition: count }).optional(),
      })
      .optional(),
    ordinals: z.object({ start: count }).optional(),
  }),
  status: z
    .object({
      observedGeneration: count,
      updateRevision: z.string().optional(),
      replicas: count,
      updatedReplicas: count,
      availableReplicas: count,
      readyReplicas: count,
      desiredNumberScheduled: count,
      updatedNumberScheduled: count,
      numberAvailable: count,
      conditions: z
        .array(
          z.object({
            type: z.string(),
            reason: z.string().optional(),
            message: z.string().optional(),
            lastUpdateTime: z.string().optional(),
          }),
        )
        .default([]),
    })
    .prefault({}),
});
type RolloutFields = z.infer<typeof rolloutFields>;

/** How many pods the workload should have, and how many of them are not available. */
export function countPods(
  kind: AppsKind,
  { spec, status }: RolloutFields,
): Pick<Workload, 'pods' | 'unavailable'> {
  const pods = kind === 'DaemonSet' ? status.desiredNumberScheduled : spec.replicas;
  const available = {
    Deployment: status.availableReplicas,
    StatefulSet: status.readyReplicas,
    DaemonSet: status.numberAvailable,
  }[kind];
  return { pods, unavailable: Math.max(pods - available, 0) };
}

/** The progress of the workload's newest generation. A status of an older generation means `progressing`. A
 *  workload of which some pods change only when a person acts is `held`, once nothing else is missing. */
export function judgeRollout(kind: AppsKind, workload: RolloutFields): Rollout {
  const { metadata, spec, status } = workload;
  // A workload without pods has nothing to restart: its next pods read the new Secret.
  if (kind !== 'DaemonSet' && spec.replicas === 0) return { state: 'complete' };
  if (status.observedGeneration < metadata.generation) {
    return { state: 'progressing', message: 'its controller has not seen the change yet' };
  }
  const counts = countUpdates(kind, workload);
  const isPaused = kind === 'Deployment' && spec.paused;
  const isByHand = spec.updateStrategy?.type === 'OnDelete';
  if ((isPaused || isByHand) && counts.updated < counts.pods) {
    const why = isPaused
      ? 'it is paused: resume it'
      : 'its update strategy is OnDelete: delete its pods one by one';
    return { state: 'held', message: `${counts.updated} of ${counts.pods} pods are new; ${why}` };
  }
  const isReplaced = counts.updated >= counts.pods && counts.old === 0;
  const failure = status.conditions.find((condition) => isFailure(condition, metadata.annotations));
  if (failure) {
    return { state: 'failed', message: failure.message ?? 'its progress deadline is exceeded', isReplaced };
  }
  const missing = describeMissing(counts);
  if (missing) return missing;
  if (counts.available < counts.pods) {
    const message = `${counts.available} of ${counts.pods} replicas are available`;
    return { state: 'progressing', message, isReplaced };
  }
  const isBelow = counts.toUpdate < counts.pods && counts.updated < counts.pods;
  return isBelow ? describePartition(workload, counts) : { state: 'complete' };
}

/** Whether the rollout has failed. The controller takes a moment to take away what it wrote of the rollout
 *  before. */
function isFailure(
  { reason, lastUpdateTime }: RolloutFields['status']['conditions'][number],
  annotations: Readonly<Record<string, string>>,
): boolean {
  if (reason !== 'ProgressDeadlineExceeded') return false;
  const since = new Date(annotations[sinceAnnotation] ?? '').getTime();
  return !(new Date(lastUpdateTime ?? '').getTime() < Math.floor(since / 1000) * 1000);
}

function describePartition({ metadata, spec }: RolloutFields, { pods, toUpdate }: UpdateCounts): Rollout {
  const start = spec.ordinals?.start ?? 0;
  const last = start + pods - toUpdate - 1;
  const which =
    last === start
      ? `pod ${metadata.name}-${start} is`
      : `pods ${metadata.name}-${start} to ${metadata.name}-${last} are`;
  return {
    state: 'held',
    message: `${which} below the partition of its update strategy: lower spec.updateStrategy.rollingUpdate.partition`,
  };
}

interface UpdateCounts {
  /** Pods it should have. */
  readonly pods: number;
  /** Those that its update strategy replaces by itself. */
  readonly toUpdate: number;
  /** Pods with the newest template. */
  readonly updated: number;
  readonly available: number;
  /** Pods with an older template that are still there beside the new ones. */
  readonly old: number;
}

function countUpdates(kind: AppsKind, workload: RolloutFields): UpdateCounts {
  const { spec, status } = workload;
  const { pods, unavailable } = countPods(kind, workload);
  const partition = kind === 'StatefulSet' ? (spec.updateStrategy?.rollingUpdate?.partition ?? 0) : 0;
  const updated = kind === 'DaemonSet' ? status.updatedNumberScheduled : status.updatedReplicas;
  return {
    pods,
    toUpdate: Math.max(pods - partition, 0),
    updated,
    available: pods - unavailable,
    old: kind === 'Deployment' && updated >= pods ? Math.max(status.replicas - updated, 0) : 0,
  };
}

/** Pods that a rollout still waits to replace; `undefined` if there are none. */
function describeMissing({ toUpdate, updated, old }: UpdateCounts): Rollout | undefined {
  if (old > 0) return { state: 'progressing', message: `${old} old replicas are still running` };
  if (updated >= toUpdate) return undefined;
  return { state: 'progressing', message: `${updated} of ${toUpdate} replicas are new` };
}
