// Selects the certificates to probe from the inventory and from tags; no private key is read.

import { mapConcurrently } from '../async/map-concurrently.ts';
import type { KeyType, TargetSpec } from '../certificate/spec.ts';
import { isDelivered } from '../policy/delivery/progress.ts';
import { findRetirement, isRestored } from '../policy/retirement/retirement.ts';
import { confirmingHandshakes } from '../policy/serving/handshake.ts';
import { type CertificateProbeSpec, probeSpecOf } from '../policy/serving/served-targets.ts';
import { toError } from '../ports/errors.ts';
import type { StoreEntry } from '../ports/store.ts';
import { createRefusal } from '../requests/unknown.ts';
import type { CertificateState } from '../state/state.ts';
import { targetsKey } from '../state/targets.ts';
import type { ProbeInvocation, ProbePorts } from './invocation.ts';

/** A certificate that can be probed. */
export interface CertificateToProbe {
  readonly kind: 'selected';
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  /** Absent for a type that the inventory does not know. */
  readonly keyType?: KeyType | undefined;
  /** How many handshakes an address must pass. */
  readonly handshakes: number;
  readonly domains: readonly string[];
  readonly probe: CertificateProbeSpec;
  /** Targets in the inventory file; empty for a registered certificate. */
  readonly targets: readonly TargetSpec[];
  /** Whether every target holds the version; true if the certificate has no target. */
  readonly isDelivered: boolean;
  readonly state: CertificateState;
}

/** A requested certificate: to probe, or skipped with a message that says why, or failed. */
export type ProbeSelection =
  | CertificateToProbe
  | { readonly kind: 'skipped'; readonly name: string; readonly message: string }
  | { readonly kind: 'failed'; readonly name: string; readonly error: Error };

/** How many AWS secrets are described at once. */
const concurrency = 16;

/** One entry for each requested certificate. Without `certificates` in the request: for all of the inventory
 *  and the store, sorted by name. A requested certificate that cannot be read is an entry `failed`.
 *  @throws StoreError if the store cannot be listed. */
export async function selectForProbe(
  { store }: ProbePorts,
  invocation: ProbeInvocation,
): Promise<readonly ProbeSelection[]> {
  const { inventory, certificates, signal } = invocation;
  if (certificates) {
    const inFile = new Set(inventory.certificates.map(({ name }) => name));
    const refuse = createRefusal({ inventory, store, signal });
    return mapConcurrently([...new Set(certificates)], concurrency, async (name) => {
      try {
        const entry = await store.describe(name, signal);
        if (!entry && !inFile.has(name)) throw await refuse(name);
        return select(name, entry, invocation);
      } catch (cause) {
        return { kind: 'failed', name, error: toError(cause) };
      }
    });
  }
  const entries = new Map((await store.list(signal)).map((entry) => [entry.name, entry]));
  const names = new Set([...inventory.certificates.map(({ name }) => name), ...entries.keys()]);
  return [...names].toSorted().map((name) => select(name, entries.get(name), invocation));
}

function select(name: string, entry: StoreEntry | undefined, { inventory }: ProbeInvocation): ProbeSelection {
  const skip = (message: string): ProbeSelection => ({ kind: 'skipped', name, message });
  const spec = inventory.certificates.find((certificate) => certificate.name === name);
  if (entry && findRetirement(entry, inventory)) return skip('it is let go');
  const targets = spec?.targets ?? [];
  const probe = probeSpecOf({ probe: spec?.probe, targets });
  if (probe === false) return skip('the inventory says "probe: false"');
  const { state, current: version } = entry ?? {};
  if (state && isRestored(state, version)) return skip('it was restored and is ordered anew');
  if (!state?.version || !version) return skip('it has not been issued yet');
  if (state.version !== version || !state.fingerprint) {
    return skip('its tags describe another version; the next run of issue corrects them');
  }
  const domains = spec?.domains ?? state.domains;
  if (!domains) {
    const problem = state.source
      ? 'its tags do not contain its names; list it in the inventory'
      : 'it is not in the inventory';
    return skip(problem);
  }
  // Something else was served: a good answer of one of several servers must not end that.
  const isNotServed = state.notServedSince !== undefined && state.served?.version === version;
  const hasNoTarget = spec ? spec.targets.length === 0 : state.targets === targetsKey([]);
  return {
    kind: 'selected',
    name,
    version,
    fingerprint: state.fingerprint,
    keyType: state.key,
    handshakes: isNotServed ? confirmingHandshakes : 1,
    domains,
    probe,
    targets,
    isDelivered: hasNoTarget || isDelivered(state.deployed, version),
    state,
  };
}
