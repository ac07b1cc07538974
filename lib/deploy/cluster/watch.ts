// Watches one wave of a rollout to its end: waits for its workloads first, then probes what is served.
import { poll } from '../../async/poll.ts';
import type { RolloutSpec } from '../../certificate/rollout-spec.ts';
import { leafAnnotation } from '../../policy/delivery/secret-plan.ts';
import { findHarm } from '../../policy/delivery/waves.ts';
import type { ProbeSummary } from '../../policy/serving/served.ts';
import { probeSpecOfTarget } from '../../policy/serving/served-targets.ts';
import { ClusterError } from '../../ports/cluster.ts';
import type { ServedQuery } from '../../ports/probe.ts';
import type { ClusterContext, Job } from '../invocation.ts';
import { awaitRollouts, type RolloutEnd } from './rollouts.ts';
import type { StartedRollout } from './target.ts';

/** The wave to watch. */
interface WatchedWave {
  readonly job: Job;
  readonly rollout: RolloutSpec;
  /** No later wave has servers that may still serve the previous certificate. */
  readonly isLast: boolean;
  /** What was served before the first wave. Absent if that wave had begun already. */
  readonly before: ProbeSummary | undefined;
  /** When an earlier invocation applied the Secret. Only set if no workload restarts. */
  readonly since?: Date | undefined;
}

/** How a wave ended. `harmful`: the certificate or the restart breaks something. `unfinished`: time ran out,
 *  or the cluster does not answer; a later invocation continues. */
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
  const since = begun.length > 0 ? begun : [wave.since ?? clock.now()];
  const until = Math.max(...since.map((instant) => instant.getTime())) + wave.rollout.deadlineMs;
  const ends = await awaitRollouts(rollouts, lists, { clock, signal, untilMs: until });
  const isOver = () => clock.now().getTime() >= until;
  const reason = findPodHarm(ends, isOver() ? wave.rollout.deadlineMs : undefined);
  if (reason !== undefined) return { kind: 'harmful', reason };
  if (ends.some(({ kind }) => kind === 'failed' || kind === 'late')) return { kind: 'unfinished', ends };
  const query = queryOf(wave.job, wave.rollout);
  if (!query) return { kind: 'done', ends };
  const probe = async () => findHarm(await probeServed(query, signal), wave.isLast, wave.before);
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

/** Probes what is served before the first wave, because a fault from before is not the new certificate's.
 *  The version that the Secret still has counts as `served`. `undefined` if the rollout is not probed.
 *  @throws The signal's reason if it aborts.
 *  @throws ClusterError if the Secret cannot be read. */
export async function probeBefore(
  job: Job,
  rollout: RolloutSpec,
  { cluster, ports: { probeServed }, invocation: { signal } }: ClusterContext,
): Promise<ProbeSummary | undefined> {
  const query = queryOf(job, rollout);
  if (!query) return undefined;
  const { namespace, secret } = job.target;
  const found = await cluster.readSecret(namespace, secret, signal);
  // The two versions may have keys of different types.
  return probeServed({ ...query, previous: found?.annotations[leafAnnotation], keyType: undefined }, signal);
}

function queryOf({ probe, facts, delivery, target }: Job, rollout: RolloutSpec): ServedQuery | undefined {
  if (!rollout.probe || probe === false) return undefined;
  const { names, keyType } = facts;
  return { names, keyType, fingerprint: delivery.fingerprint, probe: probeSpecOfTarget(probe, target) };
}

/** Why pods do not start, in one line; `undefined` if they do, or if the cluster does not answer.
 *  @param deadlineMs The rollout's time limit, if it has passed. */
function findPodHarm(ends: readonly RolloutEnd[], deadlineMs: number | undefined): string | undefined {
  for (const end of ends) {
    if (end.kind === 'failed' && end.error instanceof ClusterError && end.error.code === 'RolloutFailed') {
      return end.error.message;
    }
    if (end.kind === 'late' && deadlineMs !== undefined) {
      return `${end.message}; its deadline of ${Math.round(deadlineMs / 60_000)} min has passed`;
    }
  }
  return undefined;
}
