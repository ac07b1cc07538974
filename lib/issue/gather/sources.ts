// Finds the certificates of a pass, and how to read the store entry of each.
import type { CertificateSpec } from '../../certificate/spec.ts';
import { findRetirement } from '../../policy/retirement/retirement.ts';
import type { CertificateStore, StoreEntry } from '../../ports/store.ts';
import type { IssueInvocation } from '../invocation.ts';
import { findOrphans } from '../orphans.ts';

/** `sources`: every requested certificate, with a function that reads its entry; also those that are let go.
 *  If all are requested, also entries that nobody asks for: `orphans` have a claim or TXT values of an order,
 *  `others` have no source on their tags. @throws StoreError if listing fails. */
export async function findSources(
  certificates: readonly string[] | undefined,
  fromFile: ReadonlyMap<string, CertificateSpec>,
  store: CertificateStore,
  { inventory, signal }: Pick<IssueInvocation, 'inventory' | 'signal'>,
): Promise<{
  readonly sources: Map<string, () => Promise<StoreEntry | undefined>>;
  readonly orphans: readonly StoreEntry[];
  readonly others: readonly StoreEntry[];
}> {
  if (certificates) {
    const sources = new Map(certificates.map((name) => [name, () => store.describe(name, signal)]));
    return { sources, orphans: [], others: [] };
  }
  const entries = new Map((await store.list(signal)).map((entry) => [entry.name, entry]));
  const isRetiring = (entry: StoreEntry) => findRetirement(entry, inventory) !== undefined;
  const outside = [...entries.values()].filter(({ name }) => !fromFile.has(name));
  const own = outside.filter((entry) => entry.state.source || isRetiring(entry));
  const names = [...fromFile.keys(), ...own.map(({ name }) => name)];
  const others = outside.filter((entry) => !entry.state.source && !isRetiring(entry));
  return {
    sources: new Map(names.map((name) => [name, async () => entries.get(name)])),
    orphans: findOrphans(others),
    others,
  };
}
