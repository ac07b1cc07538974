// Which certificates a pass is about, and how to come by what AWS lists of each.
import type { CertificateSpec } from '../../certificate/spec.ts';
import type { CertificateStore, StoreEntry } from '../../ports/store.ts';
import { findOrphans } from '../orphans.ts';

/** Every certificate asked for, with how to come by its entry. Where all are: entries that nobody asks for, of which `orphans` have
 *  something left of an order, and `others` no source on their tags. @throws StoreError where listing fails. */
export async function findSources(
  certificates: readonly string[] | undefined,
  fromFile: ReadonlyMap<string, CertificateSpec>,
  store: CertificateStore,
  signal: AbortSignal,
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
  const registered = [...entries.values()].filter(({ name, state }) => state.source && !fromFile.has(name));
  const names = [...fromFile.keys(), ...registered.map(({ name }) => name)];
  return {
    sources: new Map(names.map((name) => [name, async () => entries.get(name)])),
    orphans: findOrphans([...entries.values()], (name) => fromFile.has(name)),
    others: [...entries.values()].filter(({ name, state }) => !state.source && !fromFile.has(name)),
  };
}
