// Makes the result of one target: its report entry, the phase it has reached, and its errors.

import { cutText, listSome } from '../policy/bounds.ts';
import { nameDestination, nameTarget } from '../policy/delivery/secret-plan.ts';
import { ClusterError, type ClusterErrorCode } from '../ports/cluster.ts';
import { describeError } from '../ports/errors.ts';
import { RequestError } from '../requests/errors.ts';
import type { AnyJob, DeployInvocation, Job, JobResult, TargetOutcome, TargetReport } from './invocation.ts';

/** Errors that only a person can fix, in the inventory or in the cluster. */
const refusals: readonly ClusterErrorCode[] = [
  'Foreign',
  'TypeConflict',
  'Replayed',
  'Rejected',
  'Unsupported',
];

/** How a rollout ended. `late`: it was still running when the wait ended. `paused`: pods keep the previous
 *  certificate until a person acts. `error`: why it failed. `isAsBefore`: it was not well before either, and
 *  is no worse now. `complete` has a message if pods are not available that were not before. */
export type RolloutEnd =
  | { readonly kind: 'complete'; readonly message?: string }
  | { readonly kind: 'paused'; readonly message: string }
  | { readonly kind: 'late'; readonly message: string; readonly isAsBefore?: boolean }
  | { readonly kind: 'failed'; readonly error: Error; readonly isAsBefore?: boolean };

/** Limits of one report entry, in characters and in workloads: anybody
 *  with access to the namespace can make many. */
const longestMessage = 4_000;
const mostRestarted = 100;

/** The result of a target that `error` stopped: `refused` if a person must act, else `pending`. If the abort
 *  of `signal` was the cause, the message says that time ran out. */
export function describeFailure(job: Job, error: Error, { signal }: DeployInvocation): JobResult {
  if (!signal.aborted || error instanceof ClusterError) return describeRefusal(job, error);
  const message = 'time ran out before it was delivered; the next run continues';
  return describeRefusal(job, new RequestError('Deadline', message));
}

/** The result of a target that must not, or cannot, be worked on: `refused` if a person must act, else
 *  `pending`. */
export function describeRefusal({ delivery, target, phase }: Job, error: Error): JobResult {
  const isRefusal = error instanceof ClusterError && refusals.includes(error.code);
  return {
    phase: isRefusal ? 'none' : phase,
    failures: [error],
    report: {
      certificate: delivery.certificate,
      target: nameTarget(target),
      outcome: isRefusal ? 'refused' : 'pending',
      action: isRefusal ? 'refuse' : undefined,
      restarted: [],
      message: cutText(describeError(error), longestMessage),
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

/** The report entry of one target, within its limits. */
export function reportOf(
  { delivery, target }: Job,
  outcome: TargetOutcome,
  { action, restarted, message }: Pick<TargetReport, 'action' | 'restarted' | 'message'>,
): TargetReport {
  return {
    certificate: delivery.certificate,
    target: nameTarget(target),
    outcome,
    action,
    restarted: listSome(restarted, mostRestarted),
    message: cutText(message, longestMessage),
  };
}
