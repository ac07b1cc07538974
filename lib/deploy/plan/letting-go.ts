// Finds certificates that deliver nothing any more: those that are let go, and restored ones that still have
// the key of before.
import { isSecretTarget } from '../../certificate/spec.ts';
import type { StoredCertificate } from '../../certificate/stored.ts';
import {
  describeForged,
  findRetirement,
  isHeeded,
  isLetGo,
  isRestored,
  judgeRetirement,
} from '../../policy/retirement/retirement.ts';
import { isPruned } from '../../policy/retirement/targets.ts';
import type { StoreEntry } from '../../ports/store.ts';
import type { DeployInvocation, DeployPorts } from '../invocation.ts';
import type { DeliverySelection } from './selected.ts';

type Ports = Pick<DeployPorts, 'store' | 'clock' | 'log'>;

const restoredMessage =
  'a person restored it: a certificate with a new key is ordered before anything is delivered';

/** The selection of a certificate that is let go; `undefined` for one that stays. Its Secrets have no target
 *  any more, so `prune` finds them. A wish of a sender counts only for what the webhook registered.
 *  @throws StoreError if the entry cannot be described: a list may lag, and show one that was restored. */
export async function selectLetGo(
  listed: StoreEntry,
  { version, certificate }: { readonly version: string; readonly certificate: StoredCertificate },
  { store, clock, log }: Ports,
  { inventory, signal }: DeployInvocation,
): Promise<DeliverySelection | undefined> {
  if (!findRetirement(listed, inventory)) return undefined;
  const entry = await store.describe(listed.name, signal);
  const retirement = entry && findRetirement(entry, inventory);
  if (!entry || !retirement) return undefined;
  const { name, state, current, previous } = entry;
  const { spec } = certificate;
  if (!isHeeded(retirement, spec?.source)) {
    log.error('retirement refused', { certificate: name, problem: describeForged(retirement) });
    return undefined;
  }
  const former = spec?.targets.filter(isSecretTarget) ?? [];
  return {
    kind: 'skipped',
    name,
    message: judgeRetirement(retirement, { state, version }, clock.now()).message,
    known: {
      targets: [],
      former,
      versions: [current, previous].filter((one) => one !== undefined),
    },
    letGo: {
      version,
      isRecorded: isLetGo(state.deployed, version),
      pruned: spec ? former.filter((target) => isPruned(target, inventory)) : 'unknown',
    },
  };
}

/** The selection of a restored certificate whose version in use must not be delivered; `undefined` for any
 *  other. Its Secrets stay as they are.
 *  @param version In use. */
export function selectRestored(
  { name, state }: StoreEntry,
  version: string | undefined,
): DeliverySelection | undefined {
  if (!isRestored(state, version)) return undefined;
  return { kind: 'skipped', name, message: restoredMessage };
}
