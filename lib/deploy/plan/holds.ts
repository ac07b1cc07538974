// Whether a certificate's current version is held: what its tag says, or what a person says with this run.
import { formatResumption, heldByAgents } from '../../policy/delivery/agents.ts';
import { formatHold, type Hold, isByHand, parseHold } from '../../policy/delivery/freeze.ts';
import type { StoreEntry } from '../../ports/store.ts';
import { loadLastGood } from '../last-good.ts';
import type { AnyJob, DeployPorts, DeployRun } from '../run.ts';

/** The hold on the version that is to be delivered, if there is one. What a person has said is written down before anything is
 *  done by it; a hold on an earlier version is taken away, and one that would leave targets with a certificate that ends. A dry
 *  run writes nothing. What is resumed, agents resume as well: each hears of it by a tag, for no role but its own writes its report.
 *  @throws Error where a version is to be taken back that has none before it, StoreError. */
export async function settleHold(
  { delivery, facts }: Pick<AnyJob, 'delivery' | 'facts'>,
  { previous, state }: StoreEntry,
  ports: DeployPorts,
  run: DeployRun,
): Promise<Hold | undefined> {
  const { store, clock, log } = ports;
  const { rollback, resume, dryRun, signal } = run;
  const { certificate, version } = delivery;
  if (rollback && previous === undefined) {
    throw new Error(`${certificate} cannot be taken back: there is no version before the current one`);
  }
  const byHand: Hold = { version, target: '*', reason: 'it was taken back by hand' };
  const noted = rollback ? byHand : resume ? undefined : parseHold(state.deliveryHeld, version);
  const isOver = noted && !isByHand(noted) && (await endsBefore({ delivery, facts }, ports, run));
  const hold = isOver ? undefined : noted;
  const written = hold && formatHold(hold);
  const isHeldElsewhere = heldByAgents(state).some((text) => parseHold(text, version) !== undefined);
  const resumed = resume && isHeldElsewhere ? formatResumption(version, clock.now()) : undefined;
  if (dryRun || (written === state.deliveryHeld && !resumed)) return hold;
  await store.record(certificate, { deliveryHeld: written ?? null, ...(resumed && { resumed }) }, signal);
  const reason = isOver ? 'what it keeps in place ends soon' : hold?.reason;
  log.info(hold ? 'delivery held' : 'delivery resumed', { certificate, version, reason });
  return hold;
}

/** Whether the version before ends so soon that this one must take its place, whatever it has done elsewhere. */
async function endsBefore(job: Pick<AnyJob, 'delivery' | 'facts'>, ports: DeployPorts, run: DeployRun) {
  const lastGood = await loadLastGood(job, ports, run);
  return 'refusal' in lastGood && lastGood.isOver === true;
}
