// Decides whether the current version is frozen, from its tag and from what a person requests now.
import { frozenByAgents } from '../../policy/delivery/agents.ts';
import { freezeOf, isByHand, trimFreeze } from '../../policy/delivery/freeze.ts';
import type { StoreEntry } from '../../ports/store.ts';
import type { Freeze } from '../../state/delivery.ts';
import { isSameValue } from '../../state/same.ts';
import type { AnyJob, DeployInvocation, DeployPorts } from '../invocation.ts';
import { loadLastGood } from '../last-good.ts';

/** The freeze on the version to deliver, or `undefined`. Writes the freeze tag before anything is delivered:
 *  sets it for `rollback`, removes it for `resume`, for a newer version, and if the previous version expires
 *  soon. Also tags the resumption for agents, which freeze by their own reports. A dry run writes nothing.
 *  @throws Error if `rollback` is requested and there is no previous version.
 *  @throws StoreError if a tag cannot be written or the previous version cannot be read. */
export async function recordFreeze(
  { delivery, facts }: Pick<AnyJob, 'delivery' | 'facts'>,
  { previous, state }: StoreEntry,
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<Freeze | undefined> {
  const { store, clock, log } = ports;
  const { rollback, resume, dryRun, signal } = invocation;
  const { certificate, version } = delivery;
  if (rollback && previous === undefined) {
    throw new Error(`${certificate} cannot be rolled back: it has no previous version`);
  }
  const byHand: Freeze = { version, target: '*', reason: 'it was taken back by hand' };
  const candidate = rollback ? byHand : resume ? undefined : freezeOf(state.freeze, version);
  const expiresSoon =
    candidate && !isByHand(candidate) && (await isPreviousExpiring({ delivery, facts }, ports, invocation));
  const freeze = expiresSoon ? undefined : candidate;
  const written = freeze && trimFreeze(freeze);
  const isFrozenByAgent = frozenByAgents(state).some((frozen) => freezeOf(frozen, version) !== undefined);
  const resumed = resume && isFrozenByAgent ? { version, at: clock.now() } : undefined;
  if (dryRun || (isSameValue(written, state.freeze) && !resumed)) return freeze;
  await store.record(certificate, { freeze: written ?? null, ...(resumed && { resumed }) }, signal);
  const reason = expiresSoon ? 'the previous version expires soon' : freeze?.reason;
  log.info(freeze ? 'delivery frozen' : 'delivery resumed', { certificate, version, reason });
  return freeze;
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
