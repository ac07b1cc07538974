// One hosted zone: what the API shows at once, and what DNS answers when a change is INSYNC.
import type { Resource, SigningKey, Zone } from '../dns/answer.ts';
import {
  applyBatch,
  type Change,
  compareKeys,
  keyOf,
  type RecordSet,
  type RecordSets,
} from './change-batch.ts';
import { canonicalName, plainName } from './names.ts';
import { readValue } from './record-value.ts';

export class HostedZone implements Zone {
  readonly id: string;
  readonly name: string;
  /** The AWS account it is in. */
  readonly account: string;
  readonly isPrivate: boolean;
  /** Whether DNS leads to it; may be changed, as a registrar would. */
  isDelegated: boolean;
  /** Keys that sign it, which DNS answers and listings do not show. */
  signingKeys: readonly SigningKey[] = [];
  readonly nameServers: readonly string[];
  #live: RecordSets;
  #sorted: readonly RecordSet[] | undefined;
  #answered: Answered;
  readonly #pending: { readonly insyncAt: number; readonly sets: RecordSets }[] = [];
  readonly #now: () => number;

  constructor(options: {
    readonly id: string;
    readonly name: string;
    readonly account: string;
    readonly isPrivate: boolean;
    readonly isDelegated: boolean;
    readonly nameServers: readonly string[];
    readonly now: () => number;
  }) {
    this.id = options.id;
    this.name = canonicalName(options.name);
    this.account = options.account;
    this.isPrivate = options.isPrivate;
    this.isDelegated = options.isDelegated;
    this.nameServers = options.nameServers;
    this.#now = options.now;
    const [first = ''] = options.nameServers;
    const apex: RecordSet[] = [
      { name: this.name, type: 'NS', ttl: 172_800, values: options.nameServers },
      {
        name: this.name,
        type: 'SOA',
        ttl: 900,
        values: [`${first} hostmaster.sandbox.example. 1 7200 900 1209600 5`],
      },
    ];
    this.#live = new Map(apex.map((set) => [keyOf(set), set]));
    this.#answered = index(this.#live);
  }

  /** Every record set in listing order, PENDING changes included, as ListResourceRecordSets shows them. */
  list(): readonly RecordSet[] {
    this.#sorted ??= [...this.#live.values()].toSorted(compareKeys);
    return this.#sorted;
  }

  /** Carries out a batch; DNS answers it from `insyncAt` (milliseconds since the epoch) on, which is
   *  `insyncMs` from now, yet never before an earlier change. Or gives the messages of an
   *  InvalidChangeBatch. */
  change(
    changes: readonly Change[],
    insyncMs: number,
  ): { readonly insyncAt: number } | { readonly messages: readonly string[] } {
    const result = applyBatch(this.name, this.#live, changes);
    if ('messages' in result) return result;
    const insyncAt = Math.max(this.#now() + insyncMs, this.#pending.at(-1)?.insyncAt ?? 0);
    this.#live = result.sets;
    this.#sorted = undefined;
    this.#pending.push({ insyncAt, sets: result.sets });
    return { insyncAt };
  }

  recordsAt(name: string): readonly Resource[] {
    const records = this.#publish().records.get(name) ?? [];
    if (name !== this.name) return records;
    const keys = this.signingKeys.map((data): Resource => ({ name, type: 'DNSKEY', ttl: 3_600, data }));
    return [...records, ...keys];
  }

  hasName(name: string): boolean {
    return this.#publish().names.has(name);
  }

  #publish(): Answered {
    let due: RecordSets | undefined;
    while (this.#pending[0] && this.#pending[0].insyncAt <= this.#now()) due = this.#pending.shift()?.sets;
    if (due) this.#answered = index(due);
    return this.#answered;
  }
}

/** The record sets that are INSYNC as DNS looks them up. */
interface Answered {
  readonly records: ReadonlyMap<string, readonly Resource[]>;
  /** Names with records and every name above them. */
  readonly names: ReadonlySet<string>;
}

function index(sets: RecordSets): Answered {
  const records = new Map<string, Resource[]>();
  const names = new Set<string>();
  for (const set of sets.values()) {
    const name = plainName(set.name);
    for (let above = name; above !== ''; above = above.slice(above.indexOf('.') + 1)) names.add(above);
    const resources = records.get(name) ?? [];
    records.set(name, resources);
    for (const value of set.values) {
      const read = readValue(set.type, value);
      if (read.problem === undefined && read.data) resources.push({ ...read.data, name, ttl: set.ttl });
    }
  }
  return { records, names };
}
