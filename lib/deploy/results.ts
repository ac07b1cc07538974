// Makes the result of one target: its report entry, the phase it has reached, and its errors.

import { cutText, listSome, nameSome } from '../policy/bounds.ts';
import { nameDestination, nameTarget, type SecretPlan } from '../policy/delivery/secret-plan.ts';
import { ClusterError, type ClusterErrorCode } from '../ports/cluster.ts';
import { describeError } from '../ports/errors.ts';
import type { RolloutEnd } from './cluster/rollouts.ts';
import type { TargetProgress } from './cluster/target.ts';
import type { AnyJob, DeployInvocation, Job, JobResult, TargetOutcome, TargetReport } from './invocation.ts';

/** Errors that only a person can fix, in the inventory or in the cluster. */
const refusals: readonly ClusterErrorCode[] = [
  'Foreign',
  'TypeConflict',
  'Replayed',
  'Rejected',
  'Unsupported',
];

/** Limits of one report entry, in characters and in workloads: anybody
 *  with access to the namespace can make many. */
const longestMessage = 4_000;
const mostRestarted = 100;

/** The result of a target that `error` stopped: `refused` if a person must act, else `pending`. If the abort
 *  of `signal` was the cause, the message says that time ran out. */
export function describeFailure(
  { delivery, target, phase }: Job,
  error: Error,
  { signal }: DeployInvocation,
): JobResult {
  const isRefusal = error instanceof ClusterError && refusals.includes(error.code);
  const isLate = signal.aborted && !(error instanceof ClusterError);
  const message = isLate
    ? 'time ran out before it was delivered; the next run continues'
    : describeError(error);
  return {
    phase: isRefusal ? 'none' : phase,
    failures: [isLate ? new Error(`${nameTarget(target)}: ${message}`, { cause: error }) : error],
    report: {
      certificate: delivery.certificate,
      target: nameTarget(target),
      outcome: isRefusal ? 'refused' : 'pending',
      action: isRefusal ? 'refuse' : undefined,
      restarted: [],
      message: cutText(message, longestMessage),
    },
  };
}

/** The result of a target whose Secret is up to date, from how the rollouts of its workloads ended. `pending`
 *  if one failed or is still running; a rollout that a person paused does not count. */
export function describeProgress(
  progress: TargetProgress,
  ends: readonly RolloutEnd[],
  invocation: DeployInvocation,
): JobResult {
  const { job, action, restarted, warnings } = progress;
  const failures = [
    ...progress.failures,
    ...ends.flatMap((end) => (end.kind === 'failed' ? [end.error] : [])),
  ];
  const late = ends.flatMap((end) => (end.kind === 'late' ? [end.message] : []));
  const paused = ends.flatMap((end) => (end.kind === 'paused' ? [end.message] : []));
  const isDone = failures.length === 0 && late.length === 0;
  const isChanged = action !== 'keep' || restarted.length > 0;
  const outcome: TargetOutcome = invocation.dryRun
    ? 'planned'
    : !isDone
      ? 'pending'
      : isChanged
        ? 'delivered'
        : 'unchanged';
  const notes = [...failures.map(describeError), ...late, ...paused, ...warnings];
  const text = nameSome(
    [describeAction(action, restarted, job, invocation.dryRun ?? false), ...notes],
    30,
    '; ',
  );
  return {
    phase: invocation.dryRun ? job.phase : isDone ? 'rolled-out' : 'applied',
    failures,
    report: {
      certificate: job.delivery.certificate,
      target: nameTarget(job.target),
      outcome,
      action,
      restarted: listSome(restarted, mostRestarted),
      message: cutText(text, longestMessage),
    },
  };
}

/** The result of a target that does not get this version now. `rest` replaces the job's phase and adds
 *  errors, the Secret's action and restarted workloads. */
export function describeUndelivered(
  { delivery, target, phase }: AnyJob,
  outcome: 'waiting' | 'held' | 'pending',
  message: string,
  rest: Partial<Pick<JobResult, 'phase' | 'failures'>> &
    Partial<Pick<TargetReport, 'action' | 'restarted'>> = {},
): JobResult {
  const { failures = [], action, restarted = [] } = rest;
  return {
    phase: rest.phase ?? phase,
    failures,
    report: {
      certificate: delivery.certificate,
      target: nameDestination(target, delivery.certificate),
      outcome,
      ...(action ? { action } : {}),
      restarted: listSome(restarted, mostRestarted),
      message: cutText(message, longestMessage),
    },
  };
}

const actionTexts: Readonly<Record<SecretPlan['action'], readonly [string, string]>> = {
  create: ['Secret created', 'would create the Secret'],
  apply: ['Secret updated', 'would update the Secret'],
  replace: ['Secret deleted and made again', 'would delete the Secret and make it again'],
  keep: ['Secret up to date', 'Secret up to date'],
  refuse: ['refused', 'would refuse'],
};

function describeAction(
  action: SecretPlan['action'],
  restarted: readonly string[],
  { target }: Job,
  dryRun: boolean,
): string {
  const secret = actionTexts[action][dryRun ? 1 : 0];
  if (target.restart === 'none' || target.restart.length === 0) return `${secret}, restart: none`;
  if (restarted.length === 0) return `${secret}, nothing to restart`;
  return `${secret}, ${dryRun ? 'would restart' : 'restarted'} ${nameSome(restarted)}`;
}
