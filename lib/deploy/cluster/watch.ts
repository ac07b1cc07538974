// Watches one wave of a rollout to its end: waits for its workloads first, then probes what is served.
import { poll } from '../../async/poll.ts';
import type { RolloutSpec } from '../../certificate/rollout-spec.ts';
import { leafAnnotation } from '../../policy/delivery/secret-plan.ts';
import { findHarm } from '../../policy/delivery/waves.ts';
import type { ProbeSummary } from '../../policy/serving/served.ts';
import { probeSpecOfTarget } from '../../policy/serving/served-targets.ts';
import { ClusterError } from '../../ports/cluster.ts';
import type { ServedQuery } from '../../ports/probe.ts';
import type { Job } from '../invocation.ts';
import type { DeliverPlan } from '../plan/target-plan.ts';
import type { RolloutEnd } from '../results.ts';
import type { ClusterContext } from './context.ts';
import { awaitRollouts, settleByPods } from './rollouts.ts';
import type { ServedBefore } from './served-before.ts';
import type { StartedRollout } from './wave.ts';

/** The wave to watch. */
interface WatchedWave {
  readonly job: Job;
  readonly rollout: RolloutSpec;
  /** No later wave has servers that may still serve the previous certificate. */
  readonly isLast: boolean;
  /** What was served before the first wave. Absent if that wave had begun already. */
  readonly before: ServedBefore | undefined;
  /** When an earlier invocation applied the Secret; absent: this one did. */
  readonly deliveredAt?: Date | undefined;
}

/** How a wave ended. `harmful`: the certificate or the restart breaks something. `unfinished`: time ran out,
 *  the cluster does not answer, or a person must act; a later invocation continues. `ends`: one for each
 *  rollout, and one more if the probe did not end. */
export type WaveEnd =
  | { readonly kind: 'done' | 'unfinished'; readonly ends: readonly RolloutEnd[] }
  | { readonly kind: 'harmful'; readonly reason: string };

/** Time between two probes, in milliseconds. */
const probeIntervalMs = 5_000;

/** Waits until the rollouts are complete and the probe finds nothing harmful. Gives up at the deadline:
 *  `deadlineMs` after the last rollout began, or after the Secret was applied if nothing restarts. Never
 *  rejects because of a cluster's answer. */
export async function watchWave(
  rollouts: readonly StartedRollout[],
  wave: WatchedWave,
  { lists, ports: { clock, probeServed }, invocation: { signal } }: ClusterContext,
): Promise<WaveEnd> {
  const begun = rollouts.map(({ workload }) => workload.rolloutSince ?? clock.now());
  const since = begun.length > 0 ? begun : [wave.deliveredAt ?? clock.now()];
  const until = Math.max(...since.map((instant) => instant.getTime())) + wave.rollout.deadlineMs;
  const awaited = await awaitRollouts(rollouts, lists, { clock, signal, untilMs: until });
  const ends = await settleByPods(rollouts, awaited, wave.deliveredAt, lists);
  const isOver = () => clock.now().getTime() >= until;
  const reason = findPodHarm(ends, isOver() ? wave.rollout.deadlineMs : undefined);
  if (reason !== undefined) return { kind: 'harmful', reason };
  if (ends.some(({ kind }) => kind !== 'complete')) return { kind: 'unfinished', ends };
  const query = queryOf(wave.job, wave.rollout);
  if (!query) return { kind: 'done', ends };
  const probe = async () => {
    const summary = await probeServed(query, signal);
    return findHarm(summary, wave.isLast, wave.before);
  };
  const { kind, seen } = await poll(probe, (harm) => harm === undefined, {
    clock,
    signal,
    pauseMs: () => probeIntervalMs,
    untilMs: until,
  });
  if (kind === 'done') return { kind: 'done', ends };
  if (kind === 'late' && seen !== undefined) return { kind: 'harmful', reason: seen };
  const message = 'time ran out before a probe saw it served; the next run probes again';
  return { kind: 'unfinished', ends: [...ends, { kind: 'late', message }] };
}

/** Probes what is served before the first wave of a target, because a fault from before is not the new
 *  certificate's. The version that the Secret still has counts as `served`. `undefined` if the target is not
 *  watched or probed, its waves have begun, or the probe fails. Never rejects. */
export async function probeBefore(
  plan: DeliverPlan,
  { ports: { probeServed }, invocation: { signal } }: ClusterContext,
): Promise<ProbeSummary | undefined> {
  const query = plan.rollout && !isBegun(plan) ? queryOf(plan.job, plan.rollout) : undefined;
  if (!query) return undefined;
  const previous = plan.work.found?.annotations[leafAnnotation];
  // The two versions may have keys of different types.
  return probeServed({ ...query, previous, keyType: undefined }, signal).catch(() => undefined);
}

function isBegun({ job, waves }: DeliverPlan): boolean {
  return job.phase !== 'none' || waves.flat().some(({ action }) => action === 'await');
}

function queryOf({ probe, facts, delivery, target }: Job, rollout: RolloutSpec): ServedQuery | undefined {
  if (!rollout.probe || probe === false) return undefined;
  const { names, keyType } = facts;
  return { names, keyType, fingerprint: delivery.fingerprint, probe: probeSpecOfTarget(probe, target) };
}

/** Why pods do not start, in one line; `undefined` if they do, if they did not before either, or if the
 *  cluster does not answer.
 *  @param deadlineMs The rollout's time limit, if it has passed. */
function findPodHarm(ends: readonly RolloutEnd[], deadlineMs: number | undefined): string | undefined {
  for (const end of ends) {
    if ((end.kind === 'failed' || end.kind === 'late') && end.isAsBefore) continue;
    if (end.kind === 'failed' && end.error instanceof ClusterError && end.error.code === 'RolloutFailed') {
      return end.error.message;
    }
    if (end.kind === 'late' && deadlineMs !== undefined) {
      return `${end.message}; its deadline of ${Math.round(deadlineMs / 60_000)} min has passed`;
    }
  }
  return undefined;
}
