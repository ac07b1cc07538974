// Makes the result of a target in a cluster that has a plan: before it is carried out, and after.

import { nameSome } from '../policy/bounds.ts';
import { adviseFreeze } from '../policy/delivery/freeze.ts';
import type { SecretPlan } from '../policy/delivery/secret-plan.ts';
import { describeUnproven } from '../policy/delivery/waves.ts';
import { nameWorkload } from '../policy/kubernetes/objects.ts';
import { describeError } from '../ports/errors.ts';
import type { Job, JobResult } from './invocation.ts';
import { describeWaves, type ReturnPlan, type TargetPlan } from './plan/target-plan.ts';
import { describeUndelivered, type RolloutEnd, reportOf } from './results.ts';

/** The plan of one target as a result: what the report of a dry run says of it. */
export function describePlan(plan: TargetPlan): JobResult {
  if (plan.kind === 'leave') return plan.result;
  const { job, work, waves, warnings, failures } = plan;
  const { action } = work.plan;
  const restarts = waves.flat().filter((restart) => restart.action === 'restart');
  const restarted = restarts.map(({ workload }) => nameWorkload(workload));
  if (plan.kind === 'return')
    return describeReturn(plan, { restarted, failures, notes: [], isPlanned: true });
  const order = plan.rollout && waves.flat().length > 0 ? [describeWaves(waves)] : [];
  const unproven = plan.rollout && waves.length > 1 ? describeUnproven(waves[0] ?? [], plan.rollout) : [];
  const unsure = describeRole(restarted.filter((_, index) => restarts[index]?.workload.kind === 'Rollout'));
  const notes = [...failures.map(describeError), ...order, ...unproven, ...unsure, ...warnings];
  const message = nameSome([describeAction(job, action, restarted, 'planned'), ...notes], 30, '; ');
  return { phase: job.phase, failures, report: reportOf(job, 'planned', { action, restarted, message }) };
}

/** Whether a Rollout may be patched shows only when it is. */
function describeRole(rollouts: readonly string[]): readonly string[] {
  if (rollouts.length === 0) return [];
  return [`${nameSome(rollouts)} only where the role certrelay-rollouts is bound`];
}

/** How far a target has come whose Secret is up to date. */
export interface TargetProgress {
  readonly job: Job;
  /** What was done to the Secret. */
  readonly action: SecretPlan['action'];
  /** Workloads whose pod template was changed, by name, with how their rollouts ended. */
  readonly restarted: readonly string[];
  readonly ends: readonly RolloutEnd[];
  readonly warnings: readonly string[];
  readonly failures: readonly Error[];
}

/** The result of a target whose Secret is up to date. `pending` if a rollout failed, is still running, or
 *  waits for a person: pods have the certificate before then. */
export function describeProgress(progress: TargetProgress): JobResult {
  const { job, action, restarted, ends, warnings, ...rest } = progress;
  const failures = [...rest.failures, ...ends.flatMap((end) => (end.kind === 'failed' ? [end.error] : []))];
  const open = ends.flatMap((end) => (end.kind === 'late' || end.kind === 'paused' ? [end.message] : []));
  const isDone = failures.length === 0 && open.length === 0;
  const isChanged = action !== 'keep' || restarted.length > 0;
  const outcome = !isDone ? 'pending' : isChanged ? 'delivered' : 'unchanged';
  const isIll = ends.some((end) => 'isAsBefore' in end && end.isAsBefore === true);
  const remarks = [
    ...ends.flatMap((end) => (end.kind === 'complete' && end.message ? [end.message] : [])),
    ...(isIll ? ['it was not well before its restart either, so nothing is taken back'] : []),
  ];
  const asksPerson = failures.length === 0 && ends.some(({ kind }) => kind === 'paused');
  const notes = [...failures.map(describeError), ...open, ...remarks, ...warnings];
  const message = nameSome([describeAction(job, action, restarted, 'done'), ...notes], 30, '; ');
  return {
    phase: isDone ? 'rolled-out' : 'applied',
    failures,
    ...(asksPerson && { asksPerson }),
    report: reportOf(job, outcome, { action, restarted, message }),
  };
}

/** How a return to the previous version went, or would go. */
export interface ReturnProgress {
  readonly restarted: readonly string[];
  readonly failures: readonly Error[];
  readonly notes: readonly string[];
  /** Nothing was done yet. */
  readonly isPlanned?: boolean;
}

/** The result of a target that went back to the previous version. */
export function describeReturn(
  { job, freeze, work }: ReturnPlan,
  { restarted, failures, notes, isPlanned = false }: ReturnProgress,
): JobResult {
  const { action } = work.plan;
  const change = `the previous version (${work.delivery.version}) ${isPlanned ? 'would be' : 'is'} put back`;
  const restarts = `${isPlanned ? 'would restart' : 'restarted'} ${nameSome(restarted)}`;
  const done = restarted.length > 0 ? `${change}, ${restarts}` : change;
  const advice = adviseFreeze(job.delivery.certificate);
  const message = [freeze.reason, done, ...failures.map(describeError), ...notes, advice].join('; ');
  const result = describeUndelivered(job, 'held', message, { phase: 'none', action, restarted, failures });
  return isPlanned || failures.length > 0 ? result : { ...result, returnedTo: work.delivery };
}

const actionTexts: Readonly<Record<SecretPlan['action'], readonly [string, string]>> = {
  create: ['Secret created', 'would create the Secret'],
  apply: ['Secret updated', 'would update the Secret'],
  replace: ['Secret deleted and made again', 'would delete the Secret and make it again'],
  keep: ['Secret up to date', 'Secret up to date'],
  refuse: ['refused', 'would refuse'],
};

function describeAction(
  { target }: Job,
  action: SecretPlan['action'],
  restarted: readonly string[],
  when: 'done' | 'planned',
): string {
  const isPlanned = when === 'planned';
  const secret = actionTexts[action][isPlanned ? 1 : 0];
  if (target.restart === 'none' || target.restart.length === 0) return `${secret}, restart: none`;
  if (restarted.length === 0) return `${secret}, nothing to restart`;
  return `${secret}, ${isPlanned ? 'would restart' : 'restarted'} ${nameSome(restarted)}`;
}
