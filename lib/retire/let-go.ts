// Records a person's wish to let one certificate go, and says what happens then.
import { judgeRetirement, mostPartsMs } from '../policy/retirement/retirement.ts';
import { planNamedEnds, planTargetEnds } from '../policy/retirement/targets.ts';
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

/** Records the wish, unless a person has said it before, and has `issue` begin. A second call that says
 *  `revoke`, true or false, changes that.
 *  @throws RetireError `InInventory`; RequestError `Unknown`; StoreError. */
export async function letGo(
  name: string,
  { revoke, dryRun = false }: RetireRequest,
  ports: NamePorts,
  invocation: RetireInvocation,
): Promise<RetiredCertificate> {
  const { inventory, signal } = invocation;
  const { store, retirements, clock, log } = ports;
  if (inventory.certificates.some((spec) => spec.name === name)) {
    const message = `the inventory still has it: remove the entry "- name: ${name}" from infra/certificates.yaml, deploy, and call retire again`;
    throw new RetireError('InInventory', message);
  }
  const entry = await store.describe(name, signal);
  if (!entry) {
    const gone = await retirements.findDeleted(name, signal);
    if (!gone) throw await ports.refuse(name);
    return { name, outcome: 'unchanged', message: describeWindow(gone.until), until: gone.until };
  }
  const { targets, version } = await readTargets(entry, ports, inventory, signal);
  const before = entry.state.retire;
  const said = before?.kind === 'retire' ? before : undefined;
  const retire = {
    kind: 'retire',
    at: said?.at ?? clock.now(),
    revoke: revoke ?? said?.revoke ?? false,
  } as const;
  const retirement = { since: retire.at, by: 'person', revoke: retire.revoke } as const;
  const { message } = judgeRetirement(retirement, { state: entry.state, version }, clock.now());
  const answer = { name, message, ...(targets ? { targets } : {}) };
  if (said?.revoke === retire.revoke) return { ...answer, outcome: 'unchanged' };
  if (dryRun) return { ...answer, outcome: 'planned', message: describePlan(retire.revoke) };
  await store.record(name, { retire }, signal);
  log.info('retirement requested', { certificate: name, revoke: retire.revoke });
  await callIssue(name, ports, invocation);
  return { ...answer, message: `${message}${describeRevoking(retire.revoke)}`, outcome: 'retiring' };
}

/** What becomes of the targets, and the version in use. `targets` is absent if nobody knows them, and has
 *  those that are remembered of one that was in the inventory file. */
async function readTargets(
  { name, state }: StoreEntry,
  { store }: RetirePorts,
  inventory: RetireInvocation['inventory'],
  signal: AbortSignal,
) {
  const stored = await store.read(name, 'AWSCURRENT', signal);
  const certificate = stored?.value.kind === 'certificate' ? stored.value.certificate : undefined;
  const spec = stored?.value.kind === 'specification' ? stored.value.spec : certificate?.spec;
  return {
    targets: spec ? planTargetEnds(name, spec.targets, inventory) : findHolders(state, inventory),
    version: certificate && stored?.version,
  };
}

/** What becomes of the targets that are remembered of one that was in the inventory file. */
function findHolders({ deliveredTo }: StoreEntry['state'], inventory: RetireInvocation['inventory']) {
  return deliveredTo && deliveredTo.length > 0 ? planNamedEnds(deliveredTo, inventory) : undefined;
}

function describeRevoking(revoke: boolean): string {
  return revoke ? '; its versions are revoked, and its AWS secret stays until they are' : '';
}

function describePlan(revoke: boolean): string {
  const revoking = revoke ? ' and revokes its versions' : '';
  const days = mostPartsMs / 86_400_000;
  return `issue would order nothing any more${revoking}, and takes its TXT records away; once deploy and agents have done their parts, or after ${days} days, it deletes the AWS secret with a window of 30 days`;
}

/** One line for a certificate in its recovery window. */
export function describeWindow(until: Date): string {
  return `its AWS secret is scheduled for deletion; until ${until.toISOString()} it can be restored`;
}
