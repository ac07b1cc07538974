// Waits for all rollouts of one cluster together, by listing the workloads of their namespaces repeatedly.

import { growing, poll } from '../../async/poll.ts';
import { isAsBefore } from '../../policy/delivery/rollout-start.ts';
import { nameWorkload, type Workload } from '../../policy/kubernetes/objects.ts';
import { haveStartedSince } from '../../policy/kubernetes/pods.ts';
import type { Clock } from '../../ports/clock.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import type { RolloutEnd } from '../results.ts';
import { findUndone, type StartedRollout } from './wave.ts';
import type { WorkloadLists } from './workload-lists.ts';

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

/** The ends, with those that wait for a person looked at once more: if all pods have started since the Secret
 *  has the version, a person has replaced them.
 *  @param since When the Secret got the version; absent: it got it just now, so nobody can have. */
export async function settleByHand(
  rollouts: readonly StartedRollout[],
  ends: readonly RolloutEnd[],
  since: Date | undefined,
  lists: WorkloadLists,
): Promise<readonly RolloutEnd[]> {
  if (!since || !ends.some(({ kind }) => kind === 'paused')) return ends;
  const settled = ends.map(async (end, index): Promise<RolloutEnd> => {
    const rollout = rollouts[index];
    if (!rollout || end.kind !== 'paused') return end;
    // Without a list of the pods nobody knows: the person is asked again.
    const pods = await lists.pods(rollout.namespace).catch(() => []);
    return haveStartedSince(rollout.workload, pods, since) ? { kind: 'complete' } : end;
  });
  return Promise.all(settled);
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
      const end: RolloutEnd = { kind: 'failed', error };
      return rollouts.map((rollout) => [rollout, end] as const);
    }
  });
  return new Map((await Promise.all(updates)).flat());
}

function findEnd({ namespace, workload, mark }: StartedRollout, workloads: readonly Workload[]): RolloutEnd {
  const found = workloads.find(({ name }) => name === workload.name);
  if (!found) {
    const message = `${nameWorkload(workload)} in ${namespace} was deleted during its rollout`;
    return { kind: 'failed', error: new ClusterError('NotFound', message) };
  }
  // A list from before the restart tells nothing about the rollout.
  return found.generation < workload.generation
    ? { kind: 'late', message: `${nameWorkload(workload)} is still rolling out` }
    : (findUndone(found, mark) ?? describeEnd(found, namespace));
}

/** How far a rollout is. One that is complete but for pods that were not available before is complete. */
function describeEnd(workload: Workload, namespace: string): RolloutEnd {
  const { rollout } = workload;
  const name = nameWorkload(workload);
  if (rollout.state === 'complete') return { kind: 'complete' };
  if (rollout.state === 'held')
    return { kind: 'paused', message: `${name} needs a person: ${rollout.message}` };
  const isOld = isAsBefore(workload);
  if (rollout.isReplaced && isOld) {
    return { kind: 'complete', message: `${name} is as before its restart: ${rollout.message}` };
  }
  if (rollout.state === 'progressing') {
    return { kind: 'late', message: `${name} is still rolling out: ${rollout.message}`, isAsBefore: isOld };
  }
  const before = isOld ? ', and was not well before its restart either' : '';
  const message = `${name} in ${namespace} does not roll out${before}; check its pods: ${rollout.message}`;
  return { kind: 'failed', error: new ClusterError('RolloutFailed', message), isAsBefore: isOld };
}
