// Reads Rollouts of Argo, and how far their restart is. Argo evicts pods that are older than `restartAt`, and
// changes no template.
import * as z from 'zod';
import type { RestartPatch, Rollout, Workload } from '../../policy/kubernetes/objects.ts';

/** Where the API has Rollouts. */
export const argoResource = { group: 'argoproj.io', version: 'v1alpha1', plural: 'rollouts' } as const;

/** From so far ahead an instant is a restart that somebody has planned; clocks may differ by less. */
const plannedMs = 60_000;

const count = z.number().default(0);
const instant = z.string().optional();
/** A number of pods, or `25%` of them. */
const portion = z.union([z.number(), z.string()]).default('25%');
const strategy = z.object({ maxUnavailable: portion }).optional();

/** The fields of a Rollout that its restart is judged by. */
export const argoFields = z.object({
  metadata: z.object({ generation: count }),
  spec: z.object({
    replicas: z.number().default(1),
    restartAt: instant,
    strategy: z.object({ canary: strategy, blueGreen: strategy }).default({}),
  }),
  status: z
    .object({
      availableReplicas: count,
      restartedAt: instant,
      phase: z.string().optional(),
      conditions: z.array(z.object({ type: z.string(), status: z.string().optional() })).default([]),
    })
    .prefault({}),
});
type ArgoFields = z.infer<typeof argoFields>;

/** What a Rollout's specification and status say of its restarts and pods. */
export function judgeArgo(
  fields: ArgoFields,
  now: Date,
): Pick<
  Workload,
  'generation' | 'rollout' | 'pods' | 'unavailable' | 'hasGapOnRestart' | 'restartAt' | 'isRestartPlanned'
> {
  const { metadata, spec, status } = fields;
  const restartAt = readInstant(spec.restartAt);
  return {
    generation: metadata.generation,
    rollout: judgeRestart(fields, restartAt),
    pods: spec.replicas,
    unavailable: Math.max(spec.replicas - status.availableReplicas, 0),
    hasGapOnRestart: spec.replicas > 0 && countAtOnce(spec) >= spec.replicas,
    restartAt,
    isRestartPlanned: restartAt !== undefined && restartAt.getTime() > now.getTime() + plannedMs,
  };
}

/** `restartedAt` follows as soon as the last pods are evicted: only their availability tells that others have
 *  come in their place. */
function judgeRestart({ spec, status }: ArgoFields, restartAt: Date | undefined): Rollout {
  // Without pods there is nothing to restart: the next ones read the new Secret.
  if (spec.replicas === 0) return { state: 'complete' };
  const isOver = !restartAt || toSecond(restartAt) === toSecond(readInstant(status.restartedAt));
  if (!isOver && status.conditions.some(({ type, status: is }) => type === 'InvalidSpec' && is !== 'False')) {
    const message = 'Argo Rollouts does nothing while its specification is invalid: see its conditions';
    return { state: 'held', message };
  }
  const counts = `${status.availableReplicas} of ${spec.replicas} replicas are available`;
  if (!isOver) {
    const phase = status.phase === 'Degraded' ? ', and it is Degraded' : '';
    const message = `Argo Rollouts has not replaced all pods from before ${restartAt?.toISOString()}; ${counts}${phase}`;
    return { state: 'progressing', message };
  }
  if (status.availableReplicas >= spec.replicas) return { state: 'complete' };
  return { state: 'progressing', message: counts, isReplaced: true };
}

/** How many pods Argo replaces at once: what may be unavailable, and one at least. */
function countAtOnce({ replicas, strategy: { canary, blueGreen } }: ArgoFields['spec']): number {
  const most = (canary ?? blueGreen)?.maxUnavailable ?? 0;
  if (typeof most === 'number') return Math.max(most, 1);
  const percent = Number.parseInt(most, 10);
  return Math.max(Math.floor((replicas * (Number.isNaN(percent) ? 0 : percent)) / 100), 1);
}

function toSecond(at: Date | undefined): number | undefined {
  return at && Math.floor(at.getTime() / 1000);
}

/** The instant in a field that anyone may write; `undefined` if it is none. */
function readInstant(text: string | undefined): Date | undefined {
  const read = new Date(text ?? '');
  return Number.isNaN(read.getTime()) ? undefined : read;
}

/** The body of a merge patch that makes the change. Argo compares instants to the second. */
export function describeArgoPatch({ own, restartAt }: RestartPatch): object {
  return {
    metadata: { annotations: own },
    ...(restartAt ? { spec: { restartAt: restartAt.toISOString().replace('.000Z', 'Z') } } : {}),
  };
}
