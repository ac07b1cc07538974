// Starts one wave: patches its workloads, and says which rollouts to wait for.
import { isUndone, type RestartMark } from '../../policy/delivery/restart-marks.ts';
import type { RestartPlan } from '../../policy/delivery/restarts.ts';
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

/** One wave after its restarts were started. `ends`: what is over already. */
export interface StartedWave {
  readonly rollouts: readonly StartedRollout[];
  readonly ends: readonly RolloutEnd[];
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

/** Patches the pod template of each workload that must restart. A failed patch is reported and does not stop
 *  the others. Never rejects.
 */
export async function startWave(
  wave: readonly RestartPlan[],
  { target, delivery }: Job,
  { restarts, invocation }: Pick<ClusterContext, 'restarts' | 'invocation'>,
  { way = 'forth', served }: WaveOptions = {},
): Promise<StartedWave> {
  const { namespace } = target;
  const started = await Promise.allSettled(
    wave.map(async (plan): Promise<StartedRollout | undefined> => {
      if (plan.action === 'await') {
        const mark = way === 'forth' ? plan.mark : undefined;
        return { namespace, workload: plan.workload, isNew: false, mark };
      }
      if (plan.action !== 'restart') return undefined;
      if (way === 'back') {
        const workload = await restarts.takeBack(namespace, plan, delivery.createdAt);
        return { namespace, workload, isNew: true };
      }
      return {
        namespace,
        workload: await restarts.start(namespace, plan, served),
        isNew: true,
        mark: plan.mark,
      };
    }),
  );
  const reasons = started.flatMap((result) => (result.status === 'rejected' ? [toError(result.reason)] : []));
  const isLate = (reason: Error) => invocation.signal.aborted && !(reason instanceof ClusterError);
  return {
    rollouts: started.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : [])),
    ends: [
      ...wave.flatMap((plan) => (plan.action === 'undone' ? [describeUndone(plan.workload, namespace)] : [])),
      ...(reasons.some(isLate) ? [{ kind: 'late' as const, message: tooLate }] : []),
    ],
    failures: reasons.filter((reason) => !isLate(reason)),
  };
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

function describeUndone(workload: Workload, namespace: string): RolloutEnd {
  const { owner, kind, name } = workload;
  const restart = `kubectl rollout restart ${kind.toLowerCase()}/${name} -n ${namespace}`;
  const who = owner === undefined ? 'somebody' : `its owner ${owner}`;
  const what = owner === undefined ? `run ${restart}` : `restart it through its owner, or run ${restart}`;
  const message = `${nameWorkload(workload)} was restarted, and ${who} put its pod template back, so its pods may have the previous certificate: ${what}`;
  return { kind: 'paused', message };
}
