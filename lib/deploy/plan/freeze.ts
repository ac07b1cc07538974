// Whether a certificate's current version is held: what its tag says, or what a person says with this run.
import { frozenByAgents } from '../../policy/delivery/agents.ts';
import { freezeOf, isByHand, trimFreeze } from '../../policy/delivery/freeze.ts';
import type { StoreEntry } from '../../ports/store.ts';
import type { Freeze } from '../../state/delivery.ts';
import { isSameValue } from '../../state/same.ts';
import type { AnyJob, DeployInvocation, DeployPorts } from '../invocation.ts';
import { loadLastGood } from '../last-good.ts';

/** The hold on the version that is to be delivered, if there is one. What a person has said is written down before anything is
 *  done by it; a hold on an earlier version is taken away, and one that would leave targets with a certificate that ends. A dry
 *  run writes nothing. What is resumed, agents resume as well: each hears of it by a tag, for no role but its own writes its report.
 *  @throws Error where a version is to be taken back that has none before it, StoreError. */
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
    throw new Error(`${certificate} cannot be taken back: there is no version before the current one`);
  }
  const byHand: Freeze = { version, target: '*', reason: 'it was taken back by hand' };
  const noted = rollback ? byHand : resume ? undefined : freezeOf(state.freeze, version);
  const isOver = noted && !isByHand(noted) && (await endsBefore({ delivery, facts }, ports, invocation));
  const freeze = isOver ? undefined : noted;
  const written = freeze && trimFreeze(freeze);
  const isFrozenByAgent = frozenByAgents(state).some((one) => freezeOf(one, version) !== undefined);
  const resumed = resume && isFrozenByAgent ? { version, at: clock.now() } : undefined;
  if (dryRun || (isSameValue(written, state.freeze) && !resumed)) return freeze;
  await store.record(certificate, { freeze: written ?? null, ...(resumed && { resumed }) }, signal);
  const reason = isOver ? 'what it keeps in place ends soon' : freeze?.reason;
  log.info(freeze ? 'delivery frozen' : 'delivery resumed', { certificate, version, reason });
  return freeze;
}

/** Whether the version before ends so soon that this one must take its place, whatever it has done elsewhere. */
async function endsBefore(
  job: Pick<AnyJob, 'delivery' | 'facts'>,
  ports: DeployPorts,
  invocation: DeployInvocation,
) {
  const lastGood = await loadLastGood(job, ports, invocation);
  return 'refusal' in lastGood && lastGood.isOver === true;
}
