// Whether a certificate's current version is held: what its tag says, or what a person says with this run.
import { formatHold, type Hold, parseHold } from '../policy/hold.ts';
import type { StoreEntry } from '../ports.ts';
import type { DeployPorts, DeployRun } from './run.ts';

/** The hold on `version`, if there is one. What a person has said is written down before anything is done by it; a hold on
 *  an earlier version is taken away. A dry run writes nothing.
 *  @throws Error where a version is to be taken back that has none before it, StoreError. */
export async function settleHold(
  name: string,
  version: string,
  { previous, state }: StoreEntry,
  { store, log }: DeployPorts,
  { rollback, resume, dryRun, signal }: DeployRun,
): Promise<Hold | undefined> {
  if (rollback && previous === undefined) {
    throw new Error(`${name} cannot be taken back: there is no version before the current one`);
  }
  const byHand: Hold = { version, target: '*', reason: 'it was taken back by hand' };
  const hold = rollback ? byHand : resume ? undefined : parseHold(state.deliveryHeld, version);
  const written = hold && formatHold(hold);
  if (dryRun || written === state.deliveryHeld) return hold;
  await store.record(name, { deliveryHeld: written ?? null }, signal);
  log.info(hold ? 'delivery held' : 'delivery resumed', { certificate: name, version, reason: hold?.reason });
  return hold;
}
