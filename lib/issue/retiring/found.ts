// Finds out whether a certificate is being let go, and reads what its retirement needs.
import type { StoredCertificate, StoredSpec } from '../../certificate/stored.ts';
import {
  describeForged,
  findRetirement,
  isHeeded,
  type Retirement,
} from '../../policy/retirement/retirement.ts';
import type { StoredVersion, StoreEntry } from '../../ports/store.ts';
import type { IssueInvocation, IssuePorts } from '../invocation.ts';

/** A certificate that is being let go. */
export interface RetiringCertificate {
  readonly name: string;
  readonly entry: StoreEntry;
  readonly retirement: Retirement;
  /** Its specification; absent for one that was in the inventory file. */
  readonly spec: StoredSpec | undefined;
  /** Id of the version in use, and the certificate in it; absent if none was issued, or it cannot be read. */
  readonly version: string | undefined;
  readonly certificate: StoredCertificate | undefined;
}

/** The certificate if it is being let go, else `undefined`. A wish of a sender counts only if the stored
 *  value says that the webhook registered the certificate; else it is an error in the log.
 *  @throws StoreError if the value cannot be read. */
export async function findRetiring(
  entry: StoreEntry,
  { store, log }: Pick<IssuePorts, 'store' | 'log'>,
  { inventory, signal }: IssueInvocation,
): Promise<RetiringCertificate | undefined> {
  const retirement = findRetirement(entry, inventory);
  if (!retirement) return undefined;
  const stored = await store.read(entry.name, 'AWSCURRENT', signal);
  const { spec, certificate } = contentOf(stored);
  if (!isHeeded(retirement, spec?.source)) {
    log.error('retirement refused', { certificate: entry.name, problem: describeForged(retirement) });
    return undefined;
  }
  const version = certificate && stored?.version;
  return { name: entry.name, entry, retirement, spec, version, certificate };
}

function contentOf(stored: StoredVersion | undefined): Pick<RetiringCertificate, 'spec' | 'certificate'> {
  switch (stored?.value.kind) {
    case 'specification':
      return { spec: stored.value.spec, certificate: undefined };
    case 'certificate':
      return { spec: stored.value.certificate.spec, certificate: stored.value.certificate };
    case 'pending':
    case 'unparsable':
    case undefined:
      return { spec: undefined, certificate: undefined };
  }
}
