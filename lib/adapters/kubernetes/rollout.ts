// Judges the progress of a rollout from a workload's spec and status, as "kubectl rollout status" does.
import * as z from 'zod';
import type { WorkloadKind } from '../../certificate/rollout-spec.ts';
import type { Rollout } from '../../policy/kubernetes/objects.ts';

const count = z.number().default(0);

/** The fields of a Deployment, StatefulSet or DaemonSet that a rollout is judged by. Fields that a kind does
 *  not have get their defaults. */
export const rolloutFields = z.object({
  metadata: z.object({ generation: z.number() }),
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
  }),
  status: z
    .object({
      observedGeneration: count,
      replicas: count,
      updatedReplicas: count,
      availableReplicas: count,
      readyReplicas: count,
      desiredNumberScheduled: count,
      updatedNumberScheduled: count,
      numberAvailable: count,
      conditions: z
        .array(z.object({ type: z.string(), reason: z.string().optional(), message: z.string().optional() }))
        .default([]),
    })
    .prefault({}),
});
type RolloutFields = z.infer<typeof rolloutFields>;

/** The progress of the workload's newest generation. A status of an older generation means `progressing`. A
 *  paused workload, or one that restarts only by hand, is `held`. */
export function judgeRollout(kind: WorkloadKind, workload: RolloutFields): Rollout {
  const { metadata, spec, status } = workload;
  if (spec.paused) return { state: 'held', message: 'it is paused: it restarts when it is resumed' };
  if (spec.updateStrategy?.type === 'OnDelete') {
    return { state: 'held', message: 'its update strategy is OnDelete: delete its pods to restart it' };
  }
  // A workload without pods has nothing to restart: its next pods read the new Secret.
  if (kind !== 'DaemonSet' && spec.replicas === 0) return { state: 'complete' };
  if (status.observedGeneration < metadata.generation) {
    return { state: 'progressing', message: 'its controller has not seen the change yet' };
  }
  switch (kind) {
    case 'Deployment':
      return judgeDeployment(workload);
    case 'StatefulSet': {
      const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
      const toUpdate = Math.max(spec.replicas - partition, 0);
      return judgeCounts(toUpdate, status.updatedReplicas, spec.replicas, status.readyReplicas);
    }
    case 'DaemonSet': {
      const desired = status.desiredNumberScheduled;
      return judgeCounts(desired, status.updatedNumberScheduled, desired, status.numberAvailable);
    }
  }
}

function judgeDeployment({ spec, status }: RolloutFields): Rollout {
  const failure = status.conditions.find(({ reason }) => reason === 'ProgressDeadlineExceeded');
  if (failure) return { state: 'failed', message: failure.message ?? 'its progress deadline is exceeded' };
  if (status.updatedReplicas >= spec.replicas && status.replicas > status.updatedReplicas) {
    const old = status.replicas - status.updatedReplicas;
    return { state: 'progressing', message: `${old} old replicas are still running` };
  }
  return judgeCounts(spec.replicas, status.updatedReplicas, spec.replicas, status.availableReplicas);
}

/** Compares numbers of replicas: `updated` of `toUpdate` are new, `available` of `total` can serve. */
function judgeCounts(toUpdate: number, updated: number, total: number, available: number): Rollout {
  if (updated < toUpdate)
    return { state: 'progressing', message: `${updated} of ${toUpdate} replicas are new` };
  if (available < total) {
    return { state: 'progressing', message: `${available} of ${total} replicas are available` };
  }
  return { state: 'complete' };
}
