// Starts one wave: patches its workloads, and says which rollouts to wait for.
import { isUndone, type RestartMark } from '../../policy/delivery/restart-marks.ts';
import { describeForbidden, type RestartPlan } from '../../policy/delivery/restarts.ts';
import type { RolloutStart } from '../../policy/delivery/rollout-start.ts';
import { nameWorkload, type Workload } from '../../policy/kubernetes/objects.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import type { Job } from '../invocation.ts';
import type { RolloutEnd } from '../results.ts';
import type { ClusterContext } from './context.ts';

/** A rollout that this or an earlier invocation started. */
export interface StartedRollout {
  readonly namespace: string;
  readonly workload: Workload;
  /** Whether this invocation started it. */
  readonly isNew: boolean;
  /** The mark that its pod template has; absent if somebody took it away, and on the way back. */
  readonly mark?: RestartMark | undefined;
}

/** A Rollout that Certrelay may not restart. */
interface LeftRollout {
  readonly left: Extract<RestartPlan, { action: 'restart' }>;
  /** What a person does about it. */
  readonly message: string;
}

/** One wave after its restarts were started. `ends`: what is over already. */
export interface StartedWave {
  readonly rollouts: readonly StartedRollout[];
  readonly ends: readonly RolloutEnd[];
  /** Restarts that Certrelay may not make; what to do about them is in `ends`. */
  readonly left: readonly RestartPlan[];
  readonly failures: readonly Error[];
}

/** How a wave is started. */
export interface WaveOptions {
  /** `back`: the templates return to what they were before. Absent: `forth`. */
  readonly way?: 'forth' | 'back' | undefined;
  /** What was not served well before the first wave. */
  readonly served?: RolloutStart['served'];
}

const tooLate = 'time ran out before everything was restarted; the next run continues';

/** Patches each workload that must restart. A failed patch is reported and does not stop the others. A
 *  Rollout that may not be patched is left to Argo's own tool, unless the target names it. Never rejects. */
export async function startWave(
  wave: readonly RestartPlan[],
  { target, delivery }: Job,
  { restarts, invocation }: Pick<ClusterContext, 'restarts' | 'invocation'>,
  { way = 'forth', served }: WaveOptions = {},
): Promise<StartedWave> {
  const { namespace } = target;
  const started = await Promise.allSettled(
    wave.map(async (plan): Promise<StartedRollout | LeftRollout | undefined> => {
      if (plan.action === 'await') {
        const mark = way === 'forth' ? plan.mark : undefined;
        return { namespace, workload: plan.workload, isNew: false, mark };
      }
      if (plan.action !== 'restart') return undefined;
      if (way === 'back') {
        const workload = await restarts.takeBack(namespace, plan, delivery.createdAt);
        return { namespace, workload, isNew: true };
      }
      try {
        const workload = await restarts.start(namespace, plan, served);
        return { namespace, workload, isNew: true, mark: plan.mark };
      } catch (error) {
        const message = isForbidden(error) ? describeForbidden(target, plan.workload) : undefined;
        if (message === undefined) throw error;
        return { left: plan, message };
      }
    }),
  );
  const done = started.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []));
  const left = done.filter((one) => 'left' in one);
  const reasons = started.flatMap((result) => (result.status === 'rejected' ? [toError(result.reason)] : []));
  const isLate = (reason: Error) => invocation.signal.aborted && !(reason instanceof ClusterError);
  return {
    rollouts: done.filter((one) => 'workload' in one),
    left: left.map((one) => one.left),
    ends: [
      ...wave.flatMap((plan) => (plan.action === 'undone' ? [describeUndone(plan.workload, namespace)] : [])),
      ...left.map(({ message }) => ({ kind: 'complete' as const, message })),
      ...(reasons.some(isLate) ? [{ kind: 'late' as const, message: tooLate }] : []),
    ],
    failures: reasons.filter((reason) => !isLate(reason)),
  };
}

/** The warnings but for those about restarts that were not made. */
export function withoutLeft(warnings: readonly string[], left: readonly RestartPlan[]): readonly string[] {
  const obsolete = left.map((plan) => (plan.action === 'restart' ? plan.warning : undefined));
  return warnings.filter((warning) => !obsolete.includes(warning));
}

/** The names of the workloads that this invocation restarted: not of those whose pods do not change before a
 *  person acts. `ends`: one for each rollout. */
export function nameRestarted(
  rollouts: readonly StartedRollout[],
  ends: readonly RolloutEnd[],
): readonly string[] {
  return rollouts.flatMap(({ workload, isNew }, index) =>
    isNew && ends[index]?.kind !== 'paused' ? [nameWorkload(workload)] : [],
  );
}

/** The end of a rollout whose mark somebody took away before its pods were replaced. */
export function findUndone(workload: Workload, { mark, namespace }: StartedRollout): RolloutEnd | undefined {
  return mark && isUndone(workload, mark) ? describeUndone(workload, namespace) : undefined;
}

function isForbidden(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'Forbidden';
}

function describeUndone(workload: Workload, namespace: string): RolloutEnd {
  const { owner, kind, name } = workload;
  if (kind === 'Rollout') {
    const message = `Rollout ${name} was restarted, and somebody put its spec.restartAt back, so its pods may have the previous certificate: take restartAt out of what it is made from (Argo CD writes back what Git has), and run kubectl argo rollouts restart ${name} -n ${namespace}`;
    return { kind: 'paused', message };
  }
  const restart = `kubectl rollout restart ${kind.toLowerCase()}/${name} -n ${namespace}`;
  const who = owner === undefined ? 'somebody' : `its owner ${owner}`;
  const what = owner === undefined ? `run ${restart}` : `restart it through its owner, or run ${restart}`;
  const message = `${nameWorkload(workload)} was restarted, and ${who} put its pod template back, so its pods may have the previous certificate: ${what}`;
  return { kind: 'paused', message };
}
