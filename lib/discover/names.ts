// Which names others have, as one run of discovering knows it: a name goes to whoever asked first.
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

/** Taken names that one request is told. */
const mostTold = 20;

/** The names of the file, of all that is stored, and of what this run has registered. */
export class Names {
  readonly #book: NameBook;
  /** Certificates that are stored: they stay what they are, and `issue` judges them. */
  readonly #stored: ReadonlySet<string>;

  constructor(entries: readonly StoreEntry[], inventory: Inventory) {
    this.#stored = new Set(entries.map(({ name }) => name));
    const sources = openSources(inventory);
    const holders = entries.flatMap((entry) => sources.holderOf(entry) ?? []);
    this.#book = new NameBook([...holdersInFile(inventory), ...holders]);
  }

  /** The names that others have; where there are none, they are this one's from now on. */
  take(spec: StoredSpec): readonly TakenName[] {
    if (this.#stored.has(spec.name)) return [];
    const asking = holderOfSpec(spec);
    const taken = this.#book.findTaken(asking);
    if (taken.length === 0) this.#book.add(asking);
    return taken.slice(0, mostTold);
  }
}
