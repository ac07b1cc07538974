// Brings one certificate back: its AWS secret is restored, and another key is ordered before anything is
// delivered.
import { findRetirement } from '../policy/retirement/retirement.ts';
import type { StoreEntry } from '../ports/store.ts';
import type { RetireRequest } from '../requests/retire.ts';
import {
  callIssue,
  type NamePorts,
  type RetiredCertificate,
  RetireError,
  type RetireInvocation,
  type RetirePorts,
} from './invocation.ts';

/** Cancels the deletion, if one is scheduled, and records that the certificate stays. A call that was killed
 *  between the two leaves a certificate that is still let go: the same call again restores it.
 *  @throws RetireError `NotLetGo`; RequestError `Unknown`; StoreError. */
export async function restore(
  name: string,
  { dryRun = false }: RetireRequest,
  ports: NamePorts,
  invocation: RetireInvocation,
): Promise<RetiredCertificate> {
  const { inventory, signal } = invocation;
  const { store, retirements, clock, log } = ports;
  const gone = await retirements.findDeleted(name, signal);
  if (gone && dryRun)
    return {
      name,
      outcome: 'planned',
      message: `its AWS secret would be restored; ${next}`,
      until: gone.until,
    };
  if (gone) await retirements.restore(name, signal);
  const entry = await store.describe(name, signal);
  if (!entry) throw await ports.refuse(name);
  const isInFile = inventory.certificates.some((spec) => spec.name === name);
  if (!gone && isInFile && entry.state.retire?.kind === 'retire')
    return clearWish(name, dryRun, ports, signal);
  const isLetGo = gone !== undefined || findRetirement(entry, inventory) !== undefined;
  if (!isLetGo) {
    if (entry.state.retire?.kind !== 'restored')
      throw new RetireError('NotLetGo', 'it is not let go, so there is nothing to restore');
    return {
      name,
      outcome: 'unchanged',
      message: `it was restored at ${entry.state.retire.at.toISOString()}`,
    };
  }
  if (dryRun) return { name, outcome: 'planned', message: `it would stay; ${next}` };
  await store.record(name, { retire: decide(entry, clock.now()) }, signal);
  log.info('certificate restored', { certificate: name, version: entry.current });
  await callIssue(name, ports, invocation);
  return { name, outcome: 'restored', message: `it stays; ${next}${adviseSource(entry, inventory)}` };
}

/** Clears the wish of before of a certificate that the inventory has again. Nothing was let go, so nothing is
 *  ordered anew. */
async function clearWish(
  name: string,
  dryRun: boolean,
  { store, log }: RetirePorts,
  signal: AbortSignal,
): Promise<RetiredCertificate> {
  if (dryRun)
    return { name, outcome: 'planned', message: 'the wish of before to let it go would be cleared' };
  await store.record(name, { retire: null }, signal);
  log.info('certificate restored', { certificate: name });
  const message = 'it stays, as the inventory says; the wish of before to let it go is cleared';
  return { name, outcome: 'restored', message };
}

const next = 'issue orders it anew with another key, and nothing is delivered before';

/** Also ends the wishes of others, whose clocks may be some minutes ahead. */
function decide({ current, state }: StoreEntry, now: Date): StoreEntry['state']['retire'] {
  const { unregister, gone } = state;
  const others = [unregister, gone?.kind === 'retire' ? gone.at : undefined];
  const at = new Date(Math.max(now.getTime(), ...others.map((one) => one?.getTime() ?? 0)));
  return { kind: 'restored', at, ...(current === undefined ? {} : { version: current }) };
}

/** Nobody would order a certificate that was in the inventory file and no longer is. */
function adviseSource({ name, state }: StoreEntry, { certificates }: RetireInvocation['inventory']): string {
  const isAsked = state.source !== undefined || certificates.some((spec) => spec.name === name);
  return isAsked ? '' : `. No source asks for it: add "- name: ${name}" to infra/certificates.yaml again`;
}
