// Waits for the rollouts of one cluster, all of them side by side, by listing their namespaces again and again.

import { growing, poll } from '../../async/poll.ts';
import { nameWorkload, type Workload } from '../../policy/kubernetes/objects.ts';
import type { Clock } from '../../ports/clock.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import type { StartedRollout } from './target.ts';
import type { WorkloadLists } from './workload-lists.ts';

/** How a rollout that was waited for ended. `late`: it was still under way when the wait was over. `held`: it moves when
 *  a person acts. */
export type RolloutEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'held' | 'late'; readonly message: string }
  | { readonly kind: 'failed'; readonly error: Error };

const pauseMs = growing(250, 2, 4_000);

/** Nothing is waited for longer than this: the reconcile looks again. */
const longestWaitMs = 5 * 60_000;

/** Resolves with one end for each rollout, in their order, once all have ended, the instant `until` (milliseconds) has
 *  come, which is in five minutes where none is given, or the signal is aborted. Never rejects. One list a kind and namespace serves all of them at each look. */
export async function awaitRollouts(
  rollouts: readonly StartedRollout[],
  lists: WorkloadLists,
  clock: Clock,
  signal: AbortSignal,
  until: number = clock.now().getTime() + longestWaitMs,
): Promise<readonly RolloutEnd[]> {
  let ends = rollouts.map(({ workload, namespace }) => judge(workload, namespace));
  const openOf = (seen: readonly RolloutEnd[]) => rollouts.filter((_, index) => seen[index]?.kind === 'late');
  const look = async () => {
    const looks = await lookAgain(openOf(ends), lists);
    // A list that the signal has cut off says nothing.
    if (signal.aborted) return ends;
    ends = ends.map((end, index) => {
      const rollout = rollouts[index];
      return (rollout && looks.get(rollout)) ?? end;
    });
    return ends;
  };
  await poll(look, (seen) => openOf(seen).length === 0, {
    clock,
    signal,
    pauseMs,
    untilMs: until,
    first: ends,
  });
  return ends;
}

async function lookAgain(
  open: readonly StartedRollout[],
  lists: WorkloadLists,
): Promise<ReadonlyMap<StartedRollout, RolloutEnd>> {
  const byList = Map.groupBy(open, ({ namespace, workload }) => `${workload.kind}/${namespace}`);
  const looks = [...byList.values()].map(async (rollouts) => {
    const [first] = rollouts;
    if (!first) return [];
    try {
      const workloads = await lists.refresh(first.namespace, first.workload.kind);
      return rollouts.map((rollout) => [rollout, findEnd(rollout, workloads)] as const);
    } catch (cause) {
      const error = toError(cause);
      return rollouts.map((rollout) => [rollout, { kind: 'failed', error }] as const);
    }
  });
  return new Map((await Promise.all(looks)).flat());
}

function findEnd({ namespace, workload }: StartedRollout, workloads: readonly Workload[]): RolloutEnd {
  const found = workloads.find(({ name }) => name === workload.name);
  if (!found) {
    const message = `${nameWorkload(workload)} in ${namespace} was deleted while it rolled out`;
    return { kind: 'failed', error: new ClusterError('NotFound', message) };
  }
  // An answer from before the mark says nothing about its rollout.
  return found.generation < workload.generation
    ? { kind: 'late', message: `${nameWorkload(workload)} is still rolling out` }
    : judge(found, namespace);
}

function judge(workload: Workload, namespace: string): RolloutEnd {
  const { rollout } = workload;
  const name = nameWorkload(workload);
  switch (rollout.state) {
    case 'complete':
      return { kind: 'complete' };
    case 'progressing':
      return { kind: 'late', message: `${name} is still rolling out: ${rollout.message}` };
    case 'held':
      return { kind: 'held', message: `${name} does not restart by itself: ${rollout.message}` };
    case 'failed': {
      const message = `${name} in ${namespace} does not roll out, look at its pods: ${rollout.message}`;
      return { kind: 'failed', error: new ClusterError('RolloutFailed', message) };
    }
  }
}
