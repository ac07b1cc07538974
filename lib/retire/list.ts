// Lists the certificates that are being let go, and those in their recovery window.
import { findRetirement, judgeRetirement, latestEnd } from '../policy/retirement/retirement.ts';
import type { RetiredCertificate, RetireInvocation, RetirePorts } from './invocation.ts';
import { describeWindow } from './let-go.ts';

/** Both, by name; from tags alone, so without targets.
 *  @throws StoreError. */
export async function listRetired(
  { store, retirements, clock }: RetirePorts,
  { inventory, signal }: RetireInvocation,
): Promise<readonly RetiredCertificate[]> {
  const [entries, deleted] = await Promise.all([store.list(signal), retirements.listDeleted(signal)]);
  const now = clock.now();
  const retiring = entries.flatMap((entry): readonly RetiredCertificate[] => {
    const retirement = findRetirement(entry, inventory);
    if (!retirement) return [];
    const { name, state } = entry;
    const { message } = judgeRetirement(retirement, { state, version: state.version }, now);
    const until = latestEnd(retirement, state);
    return [{ name, outcome: 'retiring', message, ...(until && { until }) }];
  });
  const retired = deleted.map(({ name, until }): RetiredCertificate => {
    return { name, outcome: 'retired', message: describeWindow(until), until };
  });
  return [...retiring, ...retired].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
