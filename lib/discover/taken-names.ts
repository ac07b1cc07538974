// Tracks which DNS names other certificates have during one invocation; the first request gets a name.
import type { Inventory } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import {
  holderOfSpec,
  holdersInFile,
  NameBook,
  openSources,
  type TakenName,
} from '../policy/registration/name-holders.ts';
import type { StoreEntry } from '../ports/store.ts';

/** Limit of taken names in one message. */
const mostListed = 20;

/** The names of the inventory file, of all stored certificates, and of those claimed in this invocation. */
export class TakenNames {
  readonly #book: NameBook;
  /** Names of stored certificates. They keep their names; `issue` judges those. */
  readonly #stored: ReadonlySet<string>;

  constructor(entries: readonly StoreEntry[], inventory: Inventory) {
    this.#stored = new Set(entries.map(({ name }) => name));
    const sources = openSources(inventory);
    const holders = entries.flatMap((entry) => sources.holderOf(entry) ?? []);
    this.#book = new NameBook([...holdersInFile(inventory), ...holders]);
  }

  /** The specification's DNS names that other certificates have, at most 20. If empty, the names now belong
   *  to this one. */
  claim(spec: StoredSpec): readonly TakenName[] {
    if (this.#stored.has(spec.name)) return [];
    const requester = holderOfSpec(spec);
    const taken = this.#book.findTaken(requester);
    if (taken.length === 0) this.#book.add(requester);
    return taken.slice(0, mostListed);
  }
}
