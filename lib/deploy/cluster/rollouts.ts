// Waits for all rollouts of one cluster together, by listing the workloads of their namespaces repeatedly.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { growing, poll } from '../../async/poll.ts';
import { isAsBefore } from '../../policy/delivery/rollout-start.ts';
import { nameWorkload, type Workload } from '../../policy/kubernetes/objects.ts';
import { countFresh, haveStartedSince } from '../../policy/kubernetes/pods.ts';
import type { Clock } from '../../ports/clock.ts';
import { ClusterError } from '../../ports/cluster.ts';
import { toError } from '../../ports/errors.ts';
import type { RolloutEnd } from '../results.ts';
import { findUndone, type StartedRollout } from './wave.ts';
import type { WorkloadLists } from './workload-lists.ts';

const pauseMs = growing(250, 2, 4_000);

/** Wait no longer than this by default: the next reconcile polls again. */
const longestWaitMs = 5 * 60_000;

/** A workload of which pods were unavailable before is complete once it has been as before for so long. */
const settleMs = 60_000;

/** A Rollout is complete once it has been so for so long: Argo says so as it evicts the last pods, and counts
 *  them as available until it has looked again. */
const settleInPlaceMs = 3_000;

/** Lists of pods that are read at once. */
const mostLists = 4;

/** How long rollouts are awaited: until this instant (epoch ms; absent: for 5 minutes), or the signal. */
interface RolloutWait {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly untilMs?: number | undefined;
}

/** One rollout as it was last seen. */
interface RolloutState {
  readonly rollout: StartedRollout;
  readonly end: RolloutEnd;
  /** Since when all its pods are new and it is no worse than before, or Argo says that it is done, epoch ms;
   *  absent: it is not so. */
  readonly settledSince?: number | undefined;
}

/** Polls until every rollout has ended, `untilMs` (epoch ms; default: 5 minutes from now) passes, or `signal`
 *  aborts. One result per rollout, in order. One list call per kind and namespace per poll. Never rejects. */
export async function awaitRollouts(
  rollouts: readonly StartedRollout[],
  lists: WorkloadLists,
  { clock, signal, untilMs = clock.now().getTime() + longestWaitMs }: RolloutWait,
): Promise<readonly RolloutEnd[]> {
  const now = () => clock.now().getTime();
  let states = rollouts.map((rollout) => judge({ rollout, found: rollout.workload, now: now() }));
  const isOpen = ({ end }: RolloutState) => end.kind === 'late';
  const update = async () => {
    const found = await listAgain(states.filter(isOpen), lists);
    // An aborted list call tells nothing about the rollouts.
    if (signal.aborted) return states;
    states = states.map((state) => {
      const seen = found.get(state.rollout);
      return seen === undefined ? state : judge({ ...state, found: seen, now: now() });
    });
    return states;
  };
  const isDone = (current: readonly RolloutState[]) => !current.some(isOpen);
  await poll(update, isDone, { clock, signal, pauseMs, untilMs, first: states });
  return states.map(({ end }) => end);
}

/** The ends after a look at pods, which are listed only if counts do not tell: pods that wait for a person
 *  may have been replaced by one, and new pods may fail where others were unavailable before.
 *  @param since When the Secret got the version; absent: it got it just now. */
export async function settleByPods(
  rollouts: readonly StartedRollout[],
  ends: readonly RolloutEnd[],
  since: Date | undefined,
  lists: WorkloadLists,
): Promise<readonly RolloutEnd[]> {
  const indexes = [...ends.keys()];
  return mapConcurrently(indexes, mostLists, async (index): Promise<RolloutEnd> => {
    const [rollout, end] = [rollouts[index], ends[index]];
    if (!rollout || !end || end.kind === 'complete') return end ?? { kind: 'complete' };
    const { namespace, workload } = rollout;
    if (end.kind === 'paused') {
      // Without a list of the pods nobody knows: the person is asked again.
      const pods = since ? await lists.pods(namespace).catch(() => []) : [];
      return since && haveStartedSince(workload, pods, since) ? { kind: 'complete' } : end;
    }
    if (!end.isAsBefore || !workload.rolloutSince) return end;
    const pods = await lists.renewPods(namespace).catch(() => []);
    return { ...end, isAsBefore: isAsBefore(workload, countFresh(workload, pods, workload.rolloutSince)) };
  });
}

/** The open workloads as they are now, or why they cannot be listed. */
async function listAgain(
  open: readonly RolloutState[],
  lists: WorkloadLists,
): Promise<ReadonlyMap<StartedRollout, Workload | Error>> {
  const byList = Map.groupBy(open, ({ rollout: { namespace, workload } }) => `${workload.kind}/${namespace}`);
  const updates = [...byList.values()].map(async (states) => {
    const rollouts = states.map(({ rollout }) => rollout);
    const [first] = rollouts;
    if (!first) return [];
    try {
      const workloads = await lists.refresh(first.namespace, first.workload.kind);
      return rollouts.map((rollout) => [rollout, find(rollout, workloads)] as const);
    } catch (cause) {
      const error = toError(cause);
      return rollouts.map((rollout) => [rollout, error] as const);
    }
  });
  return new Map((await Promise.all(updates)).flat());
}

function find({ namespace, workload }: StartedRollout, workloads: readonly Workload[]): Workload | Error {
  const message = `${nameWorkload(workload)} in ${namespace} was deleted during its rollout`;
  return workloads.find(({ name }) => name === workload.name) ?? new ClusterError('NotFound', message);
}

function judge({
  rollout,
  settledSince,
  found,
  now,
}: Pick<RolloutState, 'rollout' | 'settledSince'> & {
  readonly found: Workload | Error;
  readonly now: number;
}): RolloutState {
  if (found instanceof Error) return { rollout, end: { kind: 'failed', error: found } };
  const name = nameWorkload(found);
  // A list from before the restart tells nothing about the rollout.
  if (found.generation < rollout.workload.generation) {
    return { rollout, end: { kind: 'late', message: `${name} is still rolling out` } };
  }
  const end = findUndone(found, rollout) ?? describeEnd(found, rollout.namespace);
  if (found.kind === 'Rollout' && rollout.isNew && end.kind === 'complete') {
    const since = settledSince ?? now;
    if (now - since >= settleInPlaceMs || found.pods === 0) return { rollout, end };
    return { rollout, end: { kind: 'late', message: `${name} is still restarting` }, settledSince: since };
  }
  const isSettled =
    end.kind === 'late' && end.isAsBefore && 'isReplaced' in found.rollout && found.rollout.isReplaced;
  if (!isSettled) return { rollout, end };
  const since = settledSince ?? now;
  if (now - since < settleMs) return { rollout, end, settledSince: since };
  return {
    rollout,
    end: { kind: 'complete', message: `${name} is as before its restart: ${found.rollout.message}` },
  };
}

function describeEnd(workload: Workload, namespace: string): RolloutEnd {
  const { rollout } = workload;
  const name = nameWorkload(workload);
  const isOld = isAsBefore(workload);
  switch (rollout.state) {
    case 'complete':
      return { kind: 'complete' };
    case 'held':
      return { kind: 'paused', message: `${name} needs a person: ${rollout.message}` };
    case 'progressing':
      return {
        kind: 'late',
        message: `${name} is still rolling out: ${rollout.message}`,
        isAsBefore: isOld,
      };
    case 'failed': {
      const message = `${name} in ${namespace} does not roll out; check its pods: ${rollout.message}`;
      return { kind: 'failed', error: new ClusterError('RolloutFailed', message), isAsBefore: isOld };
    }
  }
}
