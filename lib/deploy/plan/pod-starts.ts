// Looks at when pods started: those that did while others had changed the Secret restart once more, and those
// of which somebody took the mark away may have the certificate all the same.
import { hasStartedWithin, readWrongSince } from '../../policy/delivery/drift.ts';
import { repairMark } from '../../policy/delivery/restart-marks.ts';
import type { RestartPlan } from '../../policy/delivery/restarts.ts';
import { judgeTiming } from '../../policy/delivery/windows.ts';
import { haveStartedSince, type RunningPod } from '../../policy/kubernetes/pods.ts';
import type { Job } from '../invocation.ts';
import type { SecretWork } from './secret-decision.ts';

/** The restarts after a look at the pods. */
export interface PodVerdict {
  readonly restarts: readonly RestartPlan[];
  /** No pod runs that may have started with what others wrote. */
  readonly isSettled: boolean;
  /** What could not be found out, for the report. */
  readonly problems: readonly string[];
}

/** A Secret that was put right is watched for a day: whoever changed it may do it again. */
const watchedMs = 24 * 3_600_000;

/** Changes the restarts of one target by what its pods show. Nothing restarts for a Secret that somebody
 *  keeps changing, or outside the target's windows. */
export function considerPods(
  { target, delivery, facts }: Job,
  { desired, drift, found }: SecretWork,
  planned: readonly RestartPlan[],
  { pods, now }: { readonly pods: readonly RunningPod[] | Error | undefined; readonly now: Date },
): PodVerdict {
  const since = readWrongSince(desired);
  if (pods instanceof Error) {
    const problem = `which pods started with another value is not known: ${pods.message}`;
    return { restarts: planned, isSettled: false, problems: since ? [problem] : [] };
  }
  if (!pods) return { restarts: planned, isSettled: planned.length === 0, problems: [] };
  const appliedAt = found?.appliedAt;
  const until = drift ? new Date(now.getTime() + 1) : (appliedAt ?? now);
  const isWrong = ({ workload, action }: RestartPlan) =>
    action !== 'missing' && since !== undefined && hasStartedWithin(workload, pods, { since, until });
  const timing = judgeTiming(target.rollout?.windows ?? [], { begin: facts.notBefore, now });
  const mayRestart = timing.kind !== 'closed' && drift?.isContested !== true;
  const restarts = planned.map((plan): RestartPlan => {
    if (plan.action === 'undone' && appliedAt && haveStartedSince(plan.workload, pods, appliedAt)) {
      return { action: 'await', workload: plan.workload };
    }
    if (plan.action !== 'await' || !since || !mayRestart || !isWrong(plan)) return plan;
    const { workload } = plan;
    if (workload.refusesRestart) return { action: 'leave', workload };
    const cause = { fingerprint: delivery.fingerprint, isResumed: true };
    const mark = repairMark(target, cause, workload, since);
    // Its rollout may take longer than a pass.
    return plan.mark?.value === mark.value ? plan : { action: 'restart', workload, mark };
  });
  const isOld = !drift && appliedAt !== undefined && now.getTime() - appliedAt.getTime() >= watchedMs;
  return { restarts, isSettled: isOld && !planned.some(isWrong), problems: [] };
}
