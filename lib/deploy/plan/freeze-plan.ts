// Decides whether the current version is frozen, from its tag and from what a person requests now. Reads
// only.
import { frozenByAgents } from '../../policy/delivery/agents.ts';
import { freezeOf, isByHand, trimFreeze } from '../../policy/delivery/freeze.ts';
import type { StoreEntry } from '../../ports/store.ts';
import { RequestError } from '../../requests/errors.ts';
import type { Freeze } from '../../state/delivery.ts';
import { isSameValue } from '../../state/same.ts';
import type { StateChange } from '../../state/state.ts';
import type { AnyJob, DeployInvocation, DeployPorts } from '../invocation.ts';
import { describeUnreadable, loadLastGood } from '../last-good.ts';

/** Whether a version is frozen, and what tags must say about it before anything is delivered. */
export interface FreezePlan {
  /** Absent: it is not frozen. */
  readonly freeze?: Freeze | undefined;
  /** Absent: the tags say so already. */
  readonly change?: StateChange | undefined;
  /** Why, for the log. */
  readonly reason?: string | undefined;
}

/** Plans the freeze of the version to deliver: `rollback` sets it; `resume`, a newer version, and a previous
 *  version that expires soon end it. Plans the resumption for agents too, which freeze by their own reports.
 *  @throws RequestError `NoPrevious` if `rollback` is requested and there is no previous certificate;
 *  `Unreadable` if there is one, and nobody can read it.
 *  @throws StoreError if the previous version cannot be read. */
export async function planFreeze(
  { delivery, facts }: Pick<AnyJob, 'delivery' | 'facts'>,
  { previous, state }: StoreEntry,
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<FreezePlan> {
  const { rollback, resume } = invocation;
  const { version } = delivery;
  const byHand: Freeze = { version, target: '*', reason: 'it was taken back by hand' };
  if (rollback && (previous === undefined || !(await hasPrevious(delivery.certificate, ports, invocation)))) {
    const message = 'there is nothing to roll back to: it has no previous version, and nothing was changed';
    throw new RequestError('NoPrevious', message);
  }
  const candidate = rollback ? byHand : resume ? undefined : freezeOf(state.freeze, version);
  const expiresSoon =
    candidate && !isByHand(candidate) && (await isPreviousExpiring({ delivery, facts }, ports, invocation));
  const freeze = expiresSoon ? undefined : candidate;
  const written = freeze && trimFreeze(freeze);
  const isFrozenByAgent = frozenByAgents(state).some((frozen) => freezeOf(frozen, version) !== undefined);
  const resumed = resume && isFrozenByAgent ? { version, at: ports.clock.now() } : undefined;
  if (isSameValue(written, state.freeze) && !resumed) return { freeze };
  const reason = expiresSoon ? 'the previous version expires soon' : freeze?.reason;
  return { freeze, change: { freeze: written ?? null, ...(resumed && { resumed }) }, reason };
}

/** Whether the previous version is a certificate: the first one comes after a mere specification.
 *  @throws RequestError `Unreadable` for one that cannot be read. */
async function hasPrevious(name: string, { store }: DeployPorts, { signal }: DeployInvocation) {
  const stored = await store.read(name, 'AWSPREVIOUS', signal);
  if (stored?.value.kind === 'unparsable') {
    const message = `there is nothing to roll back to, and nothing was changed: ${describeUnreadable(stored.value)}`;
    throw new RequestError('Unreadable', message);
  }
  return stored?.value.kind === 'certificate';
}

/** Whether the previous version expires so soon that this one must replace
 *  it although it failed somewhere. */
async function isPreviousExpiring(
  job: Pick<AnyJob, 'delivery' | 'facts'>,
  ports: DeployPorts,
  invocation: DeployInvocation,
) {
  const lastGood = await loadLastGood(job, ports, invocation);
  return 'refusal' in lastGood && lastGood.isOver === true;
}
