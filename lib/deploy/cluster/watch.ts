// Watches one step of a rollout to its end: its workloads first, then what is served.
import { poll } from '../../async/poll.ts';
import type { RolloutSpec } from '../../certificate/spec.ts';
import { findHarm } from '../../policy/delivery/waves.ts';
import type { ProbeSummary } from '../../policy/serving/served.ts';
import { probeSpecOfTarget } from '../../policy/serving/served-targets.ts';
import { ClusterError } from '../../ports/cluster.ts';
import type { ServedQuery } from '../../ports/probe.ts';
import type { ClusterContext, Job } from '../invocation.ts';
import { awaitRollouts, type RolloutEnd } from './rollouts.ts';
import type { StartedRollout } from './target.ts';

/** One step of a job. */
interface Step {
  readonly job: Job;
  readonly rollout: RolloutSpec;
  /** No other servers are left that may still serve the certificate before. */
  readonly isLast: boolean;
  /** What was served before the first of them; absent where that had begun already. */
  readonly before: ProbeSummary | undefined;
  /** When the Secret got the certificate, where an earlier run gave it that and there is nothing to restart. */
  readonly since?: Date | undefined;
}

/** How a step ended. `harmful`: the certificate, or the restart, does harm. `unfinished`: time is up, or the cluster cannot be
 *  asked; a later run goes on. */
export type StepEnd =
  | { readonly kind: 'done' | 'unfinished'; readonly ends: readonly RolloutEnd[] }
  | { readonly kind: 'harmful'; readonly reason: string };

/** Between two looks at what is served, in milliseconds. */
const lookAgainMs = 5_000;

/** Waits until the rollouts are complete and nothing harmful is served, at most until the deadline of the rollout that
 *  began last, or of the Secret where none did. Never rejects for what a cluster answers. */
export async function watchStep(
  rollouts: readonly StartedRollout[],
  step: Step,
  { lists, ports: { clock, probeServed }, invocation: { signal } }: ClusterContext,
): Promise<StepEnd> {
  const begun = rollouts.map(({ workload }) => workload.rolloutSince ?? clock.now());
  const since = begun.length > 0 ? begun : [step.since ?? clock.now()];
  const until = Math.max(...since.map((instant) => instant.getTime())) + step.rollout.deadlineMs;
  const ends = await awaitRollouts(rollouts, lists, clock, signal, until);
  const isOver = () => clock.now().getTime() >= until;
  const reason = findPodHarm(ends, isOver() ? step.rollout.deadlineMs : undefined);
  if (reason !== undefined) return { kind: 'harmful', reason };
  if (ends.some(({ kind }) => kind === 'failed' || kind === 'late')) return { kind: 'unfinished', ends };
  const asked = askServed(step.job, step.rollout);
  if (!asked) return { kind: 'done', ends };
  const look = async () => findHarm(await probeServed(asked, signal), step.isLast, step.before);
  const { kind, seen } = await poll(look, (harm) => harm === undefined, {
    clock,
    signal,
    pauseMs: () => lookAgainMs,
    untilMs: until,
  });
  if (kind === 'done') return { kind: 'done', ends };
  if (kind === 'late' && seen !== undefined) return { kind: 'harmful', reason: seen };
  const message = 'time was up before it was seen to be served';
  return { kind: 'unfinished', ends: [...ends, { kind: 'late', message }] };
}

/** What is served before the first step; `undefined` where nobody is to look. What was bad before is not the certificate's
 *  doing. @throws the signal's reason. */
export async function lookBefore(
  job: Job,
  rollout: RolloutSpec,
  { ports: { probeServed }, invocation: { signal } }: ClusterContext,
): Promise<ProbeSummary | undefined> {
  const asked = askServed(job, rollout);
  return asked && probeServed(asked, signal);
}

function askServed({ probe, facts, delivery, target }: Job, rollout: RolloutSpec): ServedQuery | undefined {
  if (!rollout.probe || probe === false) return undefined;
  return { names: facts.names, probe: probeSpecOfTarget(probe, target), fingerprint: delivery.fingerprint };
}

/** Pods that do not come up, said as one line. That a cluster cannot be asked says nothing about them.
 *  @param deadlineMs The deadline, if it has passed. */
function findPodHarm(ends: readonly RolloutEnd[], deadlineMs: number | undefined): string | undefined {
  for (const end of ends) {
    if (end.kind === 'failed' && end.error instanceof ClusterError && end.error.code === 'RolloutFailed') {
      return end.error.message;
    }
    if (end.kind === 'late' && deadlineMs !== undefined) {
      return `${end.message}, and its deadline of ${Math.round(deadlineMs / 60_000)} min has passed`;
    }
  }
  return undefined;
}
