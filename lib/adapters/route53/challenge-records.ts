// DNS-01 values in Route 53: one atomic change per hosted zone to add them all, one to take them away.
import { Slots } from '../../async/map-concurrently.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type ChallengeRecords,
  DnsError,
  type OnRecordDone,
  type RecordOutcome,
  type TxtValue,
} from '../../ports/dns.ts';
import { toError } from '../../ports/errors.ts';
import type { HostedZone } from './calls.ts';
import { awaitInsync } from './insync.ts';
import type { RecordLocation, RecordLocations } from './record-locations.ts';
import { changeZone, type ZoneContext } from './zone-change.ts';

/** Names whose CNAMEs are followed side by side. */
const namesAtOnce = 50;
/** For how long a name keeps the next one from being looked for, in milliseconds. */
const nameMs = 2_000;
/** For how long the names that are found wait for the others, so that a zone is changed once, in milliseconds. */
const searchMs = 10_000;
/** Zones changed side by side; the pace of requests is the narrower limit. */
const zonesAtOnce = 5;
/** For how long a zone keeps the next one waiting, in milliseconds. */
const zoneMs = 10_000;

/** What one record is to hold, and for which challenge names: CNAMEs may lead several to it. */
interface Wanted {
  readonly names: Set<string>;
  readonly texts: Set<string>;
}

/** The values of one name, and where they go. */
interface LocatedValue {
  readonly name: string;
  readonly values: readonly TxtValue[];
  readonly location: RecordLocation;
}

/** What to do with some values, and whom to tell. */
interface Request {
  readonly kind: 'add' | 'remove';
  readonly values: readonly TxtValue[];
  readonly signal: AbortSignal;
  readonly onFailed: (name: string, error: Error) => void;
  /** Names that need no change, or whose change was accepted. */
  readonly onWritten: (names: readonly string[], accepted?: Accepted) => void;
}

interface Accepted {
  readonly zone: HostedZone;
  readonly change: string;
}

/** `ChallengeRecords` over hosted zones, each with the calls of its own AWS account. */
export class Route53Records implements ChallengeRecords {
  readonly #places: RecordLocations;
  readonly #context: ZoneContext;
  readonly #slots = new Slots(zonesAtOnce);
  /** The last change of each zone, under way or over. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(locations: RecordLocations, context: ZoneContext) {
    this.#places = locations;
    this.#context = context;
  }

  async present(
    values: readonly TxtValue[],
    signal: AbortSignal,
    onDone: OnRecordDone = ignore,
  ): Promise<RecordOutcome> {
    const { clock } = this.#context;
    const failed = new Map<string, Error>();
    const onFailed = (name: string, error: Error) => {
      failed.set(name, error);
      onDone(name, error);
    };
    // Each zone is waited for while others are still being written.
    const waits: Promise<void>[] = [];
    const onWritten: Request['onWritten'] = (names, accepted) => {
      const inSync = accepted ? awaitInsync(accepted.change, accepted.zone.calls, clock, signal) : undefined;
      const tell = async () => {
        try {
          await inSync;
          for (const name of names) onDone(name);
        } catch (cause) {
          for (const name of names) onFailed(name, toError(cause));
        }
      };
      waits.push(tell());
    };
    await this.#changeAll({ kind: 'add', values, signal, onFailed, onWritten });
    await Promise.all(waits);
    return { failed };
  }

  async cleanUp(
    values: readonly TxtValue[],
    signal: AbortSignal,
    onDone: OnRecordDone = ignore,
  ): Promise<RecordOutcome> {
    const failed = new Map<string, Error>();
    const onFailed = (name: string, error: Error) => {
      // Where no zone of ours takes a value, there is none to take away.
      if (error instanceof DnsError && error.code === 'NoZone') return onDone(name);
      failed.set(name, error);
      onDone(name, error);
    };
    const onWritten: Request['onWritten'] = (names) => {
      for (const name of names) onDone(name);
    };
    await this.#changeAll({ kind: 'remove', values, signal, onFailed, onWritten });
    return { failed };
  }

  /** Names whose place is not found in time go in a later change, and keep nobody waiting. */
  async #changeAll(request: Request): Promise<void> {
    const found: LocatedValue[] = [];
    const search = async ([name, values]: readonly [string, readonly TxtValue[]]): Promise<void> => {
      try {
        found.push({ name, values, location: await this.#places.find(name, request.signal) });
      } catch (error) {
        request.onFailed(name, toError(error));
      }
    };
    const byName = Map.groupBy(request.values, ({ name }) => name);
    const { clock } = this.#context;
    const slots = new Slots(namesAtOnce);
    let isOver = false;
    const searching = Promise.all(
      Array.from(byName, (one) => slots.use(() => search(one), { timeout: { ms: nameMs, clock } })),
    ).then(() => {
      isOver = true;
    });
    const changes: Promise<unknown>[] = [];
    while (!isOver || found.length > 0) {
      await withinMs(searching, searchMs, clock);
      const groups = groupByZone(found.splice(0));
      changes.push(...Array.from(groups, (group) => this.#changeZone(group, request)));
    }
    await Promise.all(changes);
  }

  #changeZone(
    [zone, records]: readonly [HostedZone, ReadonlyMap<string, Wanted>],
    { kind, signal, onFailed, onWritten }: Request,
  ): Promise<void> {
    const namesOf = (written: readonly string[]) =>
      written.flatMap((record) => [...(records.get(record)?.names ?? [])]);
    const change = {
      kind,
      zone,
      values: new Map([...records].map(([record, { texts }]) => [record, [...texts]])),
      onFailed: (failed: readonly string[], error: Error) => {
        for (const name of namesOf(failed)) onFailed(name, error);
      },
      onWritten: (written: readonly string[], id?: string) =>
        onWritten(namesOf(written), id === undefined ? undefined : { zone, change: id }),
    };
    return this.#slots.use(() => this.#inTurn(zone, () => changeZone(change, this.#context, signal)), {
      timeout: { ms: zoneMs, clock: this.#context.clock },
    });
  }

  /** One change at a time in each zone: a second one would only meet the first. */
  #inTurn<T>(zone: HostedZone, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(zone.id) ?? Promise.resolve()).then(work);
    this.#turns.set(zone.id, turn);
    return turn;
  }
}

/** Values by the zone and the record that take them. */
function groupByZone(located: readonly LocatedValue[]): ReadonlyMap<HostedZone, ReadonlyMap<string, Wanted>> {
  const groups = new Map<HostedZone, Map<string, Wanted>>();
  for (const { name, values, location } of located) {
    const records = groups.get(location.zone) ?? new Map<string, Wanted>();
    const wanted = records.get(location.record) ?? { names: new Set(), texts: new Set() };
    groups.set(location.zone, records.set(location.record, wanted));
    wanted.names.add(name);
    for (const { value } of values) wanted.texts.add(value);
  }
  return groups;
}

/** Resolves when the work is over, or the time. */
async function withinMs(work: Promise<unknown>, ms: number, clock: Pick<Clock, 'after'>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stopTimer = clock.after(ms, resolve);
  await Promise.race([work, promise]);
  stopTimer();
}

function ignore(): void {}
