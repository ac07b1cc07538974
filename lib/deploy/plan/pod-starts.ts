// Looks at when pods started: those that did while others had changed the Secret restart once more, and those
// of which somebody took the mark away may have the certificate all the same.
import { hasStartedWithin, readWrongSince } from '../../policy/delivery/drift.ts';
import { repairMark } from '../../policy/delivery/restart-marks.ts';
import type { RestartPlan } from '../../policy/delivery/restarts.ts';
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

/** Changes the restarts of one target by what its pods show. */
export function considerPods(
  { target, delivery }: Job,
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
  const restarts = planned.map((plan): RestartPlan => {
    if (plan.action === 'undone' && appliedAt && haveStartedSince(plan.workload, pods, appliedAt)) {
      return { action: 'await', workload: plan.workload };
    }
    const until = drift ? new Date(now.getTime() + 1) : (appliedAt ?? now);
    if (plan.action !== 'await' || !since || !hasStartedWithin(plan.workload, pods, { since, until }))
      return plan;
    const { workload } = plan;
    if (workload.refusesRestart) return { action: 'leave', workload };
    const mark = repairMark(target, { fingerprint: delivery.fingerprint, isResumed: true }, workload, now);
    return { action: 'restart', workload, mark };
  });
  const isRepaired = restarts.some(({ action }) => action === 'restart' || action === 'leave');
  return { restarts, isSettled: !isRepaired, problems: [] };
}
