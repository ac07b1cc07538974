// Waits for all rollouts of one cluster together, by listing the workloads of their namespaces repeatedly.

import { growing, poll } from '../../async/poll.ts';
import { nameWorkload, type Workload } from '../../policy/kubernetes/objects.ts';
import type { Clock } from '../../ports/clock.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import type { StartedRollout } from './target.ts';
import type { WorkloadLists } from './workload-lists.ts';

/** How a rollout ended. `late`: it was still running when the wait ended. `paused`: it continues only when a
 *  person acts. `error`: why it failed. */
export type RolloutEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'paused' | 'late'; readonly message: string }
  | { readonly kind: 'failed'; readonly error: Error };

const pauseMs = growing(250, 2, 4_000);

/** Wait no longer than this by default: the next reconcile polls again. */
const longestWaitMs = 5 * 60_000;

/** How long rollouts are awaited: until this instant (epoch ms; absent: for 5 minutes), or the signal. */
interface RolloutWait {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly untilMs?: number | undefined;
}

/** Polls until every rollout has ended, `untilMs` (epoch ms; default: 5 minutes from now) passes, or `signal`
 *  aborts. One result per rollout, in order. One list call per kind and namespace per poll. Never rejects. */
export async function awaitRollouts(
  rollouts: readonly StartedRollout[],
  lists: WorkloadLists,
  { clock, signal, untilMs = clock.now().getTime() + longestWaitMs }: RolloutWait,
): Promise<readonly RolloutEnd[]> {
  let ends = rollouts.map(({ workload, namespace }) => describeEnd(workload, namespace));
  const findOpen = (current: readonly RolloutEnd[]) =>
    rollouts.filter((_, index) => current[index]?.kind === 'late');
  const update = async () => {
    const updates = await listAgain(findOpen(ends), lists);
    // An aborted list call tells nothing about the rollouts.
    if (signal.aborted) return ends;
    ends = ends.map((end, index) => {
      const rollout = rollouts[index];
      return (rollout && updates.get(rollout)) ?? end;
    });
    return ends;
  };
  await poll(update, (current) => findOpen(current).length === 0, {
    clock,
    signal,
    pauseMs,
    untilMs,
    first: ends,
  });
  return ends;
}

async function listAgain(
  open: readonly StartedRollout[],
  lists: WorkloadLists,
): Promise<ReadonlyMap<StartedRollout, RolloutEnd>> {
  const byList = Map.groupBy(open, ({ namespace, workload }) => `${workload.kind}/${namespace}`);
  const updates = [...byList.values()].map(async (rollouts) => {
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
  return new Map((await Promise.all(updates)).flat());
}

function findEnd({ namespace, workload }: StartedRollout, workloads: readonly Workload[]): RolloutEnd {
  const found = workloads.find(({ name }) => name === workload.name);
  if (!found) {
    const message = `${nameWorkload(workload)} in ${namespace} was deleted during its rollout`;
    return { kind: 'failed', error: new ClusterError('NotFound', message) };
  }
  // A list from before the restart tells nothing about the rollout.
  return found.generation < workload.generation
    ? { kind: 'late', message: `${nameWorkload(workload)} is still rolling out` }
    : describeEnd(found, namespace);
}

function describeEnd(workload: Workload, namespace: string): RolloutEnd {
  const { rollout } = workload;
  const name = nameWorkload(workload);
  switch (rollout.state) {
    case 'complete':
      return { kind: 'complete' };
    case 'progressing':
      return { kind: 'late', message: `${name} is still rolling out: ${rollout.message}` };
    case 'held':
      return { kind: 'paused', message: `${name} does not restart by itself: ${rollout.message}` };
    case 'failed': {
      const message = `${name} in ${namespace} does not roll out; check its pods: ${rollout.message}`;
      return { kind: 'failed', error: new ClusterError('RolloutFailed', message) };
    }
  }
}
