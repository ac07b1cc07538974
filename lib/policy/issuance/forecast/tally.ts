// Counts what a forecast comes across, by day, and keeps the first of each list.

/** A list with room for its first entries, and the number of the others. */
export interface ShortList<T> {
  readonly list: readonly T[];
  readonly omitted: number;
}

/** Collects a short list. */
export class Shortener<T> {
  readonly #most: number;
  readonly #list: T[] = [];
  #count = 0;

  /** @param most Entries that are kept. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Adds an entry. */
  add(entry: T): void {
    this.#count += 1;
    if (this.#list.length < this.#most) this.#list.push(entry);
  }

  /** How many were added. */
  get count(): number {
    return this.#count;
  }

  /** The list as it is now. */
  get(): ShortList<T> {
    return { list: this.#list, omitted: this.#count - this.#list.length };
  }
}

/** What happens on one day, in UTC. */
export interface ForecastDay {
  /** `2026-12-01`. */
  readonly day: string;
  /** Orders that renew a certificate. */
  readonly renewals: number;
  /** Orders for certificates of which none is stored. */
  readonly firstOrders: number;
  /** Targets that get a version. */
  readonly deliveries: number;
  /** TXT values that are written, and taken away again. */
  readonly values: number;
  /** Changes of hosted zones: one that writes and one that takes away, for each zone that orders of one pass
   *  share. */
  readonly zoneChanges: number;
  /** Certificates that are ordered, one entry for each order, in the order of time. */
  readonly certificates: ShortList<string>;
}

type Counter = 'renewals' | 'firstOrders' | 'deliveries' | 'values' | 'zoneChanges';

const dayMs = 86_400_000;

/** Counts by day. */
export class DayTally {
  readonly #start: Date;
  readonly #end: Date;
  readonly #mostNames: number;
  readonly #days = new Map<number, Record<Counter, number> & { readonly names: Shortener<string> }>();
  readonly totals: Record<Counter, number> = emptyDay();

  /** Counts from `start` until before `end`; what is outside is not counted. */
  constructor(start: Date, end: Date, mostNames: number) {
    this.#start = start;
    this.#end = end;
    this.#mostNames = mostNames;
  }

  /** Whether an instant is counted. */
  covers(at: Date): boolean {
    return at >= this.#start && at < this.#end;
  }

  /** Counts something that happens at an instant. */
  add(at: Date, counter: Counter, count = 1): void {
    const day = this.#dayOf(at);
    if (!day || count === 0) return;
    day[counter] += count;
    this.totals[counter] += count;
  }

  /** Names a certificate that is ordered. */
  name(at: Date, certificate: string): void {
    this.#dayOf(at)?.names.add(certificate);
  }

  /** The days on which something happens. */
  list(): readonly ForecastDay[] {
    return [...this.#days]
      .toSorted(([one], [other]) => one - other)
      .map(([index, { names, ...counts }]) => ({
        day: new Date(index * dayMs).toISOString().slice(0, 10),
        ...counts,
        certificates: names.get(),
      }));
  }

  #dayOf(at: Date) {
    if (!this.covers(at)) return undefined;
    const index = Math.floor(at.getTime() / dayMs);
    const known = this.#days.get(index);
    if (known) return known;
    const day = { ...emptyDay(), names: new Shortener<string>(this.#mostNames) };
    this.#days.set(index, day);
    return day;
  }
}

function emptyDay(): Record<Counter, number> {
  return { renewals: 0, firstOrders: 0, deliveries: 0, values: 0, zoneChanges: 0 };
}
