// Puts into words what became of a target: its entry in the report, its step, and its failures.

import { cutText, listSome, nameSome } from '../policy/bounds.ts';
import { nameDestination, nameTarget, type SecretPlan } from '../policy/delivery/secret.ts';
import { ClusterError, type ClusterErrorCode } from '../ports/cluster.ts';
import { describeError } from '../ports/errors.ts';
import type { RolloutEnd } from './cluster/rollouts.ts';
import type { TargetProgress } from './cluster/target.ts';
import type { AnyJob, DeployInvocation, Job, JobResult, TargetOutcome, TargetReport } from './invocation.ts';

/** What a person must change: the target, or the cluster. */
const refusals: readonly ClusterErrorCode[] = [
  'Foreign',
  'TypeConflict',
  'Replayed',
  'Rejected',
  'Unsupported',
];

/** Of one target in a report; whoever may make objects in its namespace decides how many there are. */
const longestMessage = 4_000;
const mostRestarted = 100;

/** A target that could not be worked on to the end. */
export function describeFailure(
  { delivery, target, step }: Job,
  error: Error,
  { signal }: DeployInvocation,
): JobResult {
  const isRefusal = error instanceof ClusterError && refusals.includes(error.code);
  const isLate = signal.aborted && !(error instanceof ClusterError);
  const message = isLate ? 'time was up before it was delivered' : describeError(error);
  return {
    step: isRefusal ? 'none' : step,
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

/** A target whose Secret is as it should be, and how the rollouts of its workloads ended. */
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
  const held = ends.flatMap((end) => (end.kind === 'held' ? [end.message] : []));
  const isDone = failures.length === 0 && late.length === 0;
  const isChanged = action !== 'keep' || restarted.length > 0;
  const outcome: TargetOutcome = invocation.dryRun
    ? 'planned'
    : !isDone
      ? 'pending'
      : isChanged
        ? 'delivered'
        : 'unchanged';
  const notes = [...failures.map(describeError), ...late, ...held, ...warnings];
  const told = nameSome(
    [describeAction(action, restarted, job, invocation.dryRun ?? false), ...notes],
    30,
    '; ',
  );
  return {
    step: invocation.dryRun ? job.step : isDone ? 'rolled-out' : 'applied',
    failures,
    report: {
      certificate: job.delivery.certificate,
      target: nameTarget(job.target),
      outcome,
      action,
      restarted: listSome(restarted, mostRestarted),
      message: cutText(told, longestMessage),
    },
  };
}

/** A target that does not get this version now. */
export function describeStay(
  { delivery, target, step }: AnyJob,
  outcome: 'waiting' | 'held' | 'pending',
  message: string,
  rest: Partial<Pick<JobResult, 'step' | 'failures'>> &
    Partial<Pick<TargetReport, 'action' | 'restarted'>> = {},
): JobResult {
  const { failures = [], action, restarted = [] } = rest;
  return {
    step: rest.step ?? step,
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

const done: Readonly<Record<SecretPlan['action'], readonly [string, string]>> = {
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
  const secret = done[action][dryRun ? 1 : 0];
  if (target.restart === 'none' || target.restart.length === 0) return `${secret}, restart: none`;
  if (restarted.length === 0) return `${secret}, nothing to restart`;
  return `${secret}, ${dryRun ? 'would restart' : 'restarted'} ${nameSome(restarted)}`;
}
