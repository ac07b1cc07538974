// Judges how far a rollout is, as "kubectl rollout status" does, from a workload's specification and status.
import * as z from 'zod';
import type { WorkloadKind } from '../../certificate/spec.ts';
import type { Rollout } from '../../policy/kubernetes/objects.ts';

const count = z.number().default(0);

/** The fields of the three kinds that tell about rollouts; each kind has its own among them. */
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

/** How far the newest generation is rolled out. A status that describes an older one says nothing about it. */
export function judgeRollout(kind: WorkloadKind, workload: RolloutFields): Rollout {
  const { metadata, spec, status } = workload;
  if (spec.paused) return { state: 'held', message: 'it is paused: it restarts when it is resumed' };
  if (spec.updateStrategy?.type === 'OnDelete') {
    return { state: 'held', message: 'its update strategy is OnDelete: delete its pods to restart it' };
  }
  // Scaled to zero: its next pods start with what is there then.
  if (kind !== 'DaemonSet' && spec.replicas === 0) return { state: 'complete' };
  if (status.observedGeneration < metadata.generation) {
    return { state: 'progressing', message: 'its controller has not seen the change yet' };
  }
  switch (kind) {
    case 'Deployment':
      return judgeDeployment(workload);
    case 'StatefulSet': {
      const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
      const wanted = Math.max(spec.replicas - partition, 0);
      return judgeCounts(wanted, status.updatedReplicas, spec.replicas, status.readyReplicas);
    }
    case 'DaemonSet': {
      const wanted = status.desiredNumberScheduled;
      return judgeCounts(wanted, status.updatedNumberScheduled, wanted, status.numberAvailable);
    }
  }
}

function judgeDeployment({ spec, status }: RolloutFields): Rollout {
  const stuck = status.conditions.find(({ reason }) => reason === 'ProgressDeadlineExceeded');
  if (stuck) return { state: 'failed', message: stuck.message ?? 'its progress deadline is exceeded' };
  if (status.updatedReplicas >= spec.replicas && status.replicas > status.updatedReplicas) {
    const old = status.replicas - status.updatedReplicas;
    return { state: 'progressing', message: `${old} old replicas are still there` };
  }
  return judgeCounts(spec.replicas, status.updatedReplicas, spec.replicas, status.availableReplicas);
}

function judgeCounts(wanted: number, updated: number, total: number, available: number): Rollout {
  if (updated < wanted) return { state: 'progressing', message: `${updated} of ${wanted} replicas are new` };
  if (available < total) {
    return { state: 'progressing', message: `${available} of ${total} replicas are available` };
  }
  return { state: 'complete' };
}
