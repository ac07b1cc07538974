// Adds and removes the TXT values of challenges in Route 53, with one atomic change per hosted zone.
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

/** Names whose location is searched at the same time. */
const namesAtOnce = 50;
/** After this time a name's slot goes to the next name, although its search goes on. */
const nameMs = 2_000;
/** How long located names wait for the others, so that each zone is changed once. */
const searchMs = 10_000;
/** Zones that are changed at the same time. The request rate (`RateLimiter`) is the narrower limit. */
const zonesAtOnce = 5;
/** After this time a zone's slot goes to the next zone, although its change goes on. */
const zoneMs = 10_000;

/** The change of one record. CNAMEs may lead several challenge names to it. */
interface RecordChange {
  readonly names: Set<string>;
  readonly texts: Set<string>;
}

/** The values of one challenge name, and where they are written. */
interface LocatedValue {
  readonly name: string;
  readonly values: readonly TxtValue[];
  readonly location: RecordLocation;
}

/** Values to add or to remove. */
interface Request {
  readonly kind: 'add' | 'remove';
  /** With `remove`: which values besides are to go. */
  readonly isOurs?: ((text: string) => boolean) | undefined;
  readonly values: readonly TxtValue[];
  readonly signal: AbortSignal;
  readonly onFailed: (name: string, error: Error) => void;
  /** Called with names that need no change, or whose change was `accepted`. */
  readonly onWritten: (names: readonly string[], accepted?: Accepted) => void;
}

/** A change that Route 53 accepted; `change` is its id. */
interface Accepted {
  readonly zone: HostedZone;
  readonly change: string;
}

/** `ChallengeRecords` in the hosted zones of one or more AWS accounts. */
export class Route53Records implements ChallengeRecords {
  readonly #locations: RecordLocations;
  readonly #context: ZoneContext;
  readonly #slots = new Slots(zonesAtOnce);
  /** The last change of each zone, under way or ended. */
  readonly #lastChanges = new Map<string, Promise<unknown>>();

  constructor(locations: RecordLocations, context: ZoneContext) {
    this.#locations = locations;
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
    // The wait for one zone runs while other zones are being written.
    const waits: Promise<void>[] = [];
    const onWritten: Request['onWritten'] = (names, accepted) => {
      const inSync = accepted ? awaitInsync(accepted.change, accepted.zone.calls, clock, signal) : undefined;
      const reportWhenInSync = async () => {
        try {
          await inSync;
          for (const name of names) onDone(name);
        } catch (cause) {
          for (const name of names) onFailed(name, toError(cause));
        }
      };
      waits.push(reportWhenInSync());
    };
    await this.#changeAll({ kind: 'add', values, signal, onFailed, onWritten });
    await Promise.all(waits);
    return { failed };
  }

  cleanUp(
    values: readonly TxtValue[],
    signal: AbortSignal,
    onDone: OnRecordDone = ignore,
  ): Promise<RecordOutcome> {
    return this.#remove({ values, signal }, onDone);
  }

  removeLasting(
    names: readonly string[],
    isOurs: (text: string) => boolean,
    signal: AbortSignal,
  ): Promise<RecordOutcome> {
    return this.#remove({ values: names.map((name) => ({ name, value: '' })), isOurs, signal }, ignore);
  }

  async #remove(
    removal: Pick<Request, 'values' | 'isOurs' | 'signal'>,
    onDone: OnRecordDone,
  ): Promise<RecordOutcome> {
    const failed = new Map<string, Error>();
    const onFailed = (name: string, error: Error) => {
      // A value that no zone of ours can take was never written.
      if (error instanceof DnsError && error.code === 'NoZone') return onDone(name);
      failed.set(name, error);
      onDone(name, error);
    };
    const onWritten: Request['onWritten'] = (names) => {
      for (const name of names) onDone(name);
    };
    await this.#changeAll({ kind: 'remove', ...removal, onFailed, onWritten });
    return { failed };
  }

  /** Locates every name and changes its zone. A name that is located late goes into a later change of its
   *  zone, so that it does not delay the others. */
  async #changeAll(request: Request): Promise<void> {
    const located: LocatedValue[] = [];
    const search = async ([name, values]: readonly [string, readonly TxtValue[]]): Promise<void> => {
      try {
        located.push({ name, values, location: await this.#locations.find(name, request.signal) });
      } catch (error) {
        request.onFailed(name, toError(error));
      }
    };
    const byName = Map.groupBy(request.values, ({ name }) => name);
    const { clock } = this.#context;
    const slots = new Slots(namesAtOnce);
    let isOver = false;
    const searching = Promise.all(
      Array.from(byName, (entry) => slots.use(() => search(entry), { timeout: { ms: nameMs, clock } })),
    ).then(() => {
      isOver = true;
    });
    const changes: Promise<unknown>[] = [];
    while (!isOver || located.length > 0) {
      await withinMs(searching, searchMs, clock);
      const groups = groupByZone(located.splice(0));
      changes.push(...Array.from(groups, (group) => this.#changeZone(group, request)));
    }
    await Promise.all(changes);
  }

  #changeZone(
    [zone, records]: readonly [HostedZone, ReadonlyMap<string, RecordChange>],
    { kind, isOurs, signal, onFailed, onWritten }: Request,
  ): Promise<void> {
    const namesOf = (written: readonly string[]) =>
      written.flatMap((record) => [...(records.get(record)?.names ?? [])]);
    const change = {
      kind,
      isOurs,
      zone,
      values: new Map([...records].map(([record, { texts }]) => [record, [...texts]])),
      onFailed: (failed: readonly string[], error: Error) => {
        for (const name of namesOf(failed)) onFailed(name, error);
      },
      onWritten: (written: readonly string[], id?: string) =>
        onWritten(namesOf(written), id === undefined ? undefined : { zone, change: id }),
    };
    return this.#slots.use(
      () => this.#afterLastChange(zone, () => changeZone(change, this.#context, signal)),
      { timeout: { ms: zoneMs, clock: this.#context.clock } },
    );
  }

  /** Starts a zone's change after its last one: two at once would conflict with each other. */
  #afterLastChange<T>(zone: HostedZone, start: () => Promise<T>): Promise<T> {
    const change = (this.#lastChanges.get(zone.id) ?? Promise.resolve()).then(start);
    this.#lastChanges.set(zone.id, change);
    return change;
  }
}

/** The changes of each record, by hosted zone. */
function groupByZone(
  located: readonly LocatedValue[],
): ReadonlyMap<HostedZone, ReadonlyMap<string, RecordChange>> {
  const groups = new Map<HostedZone, Map<string, RecordChange>>();
  for (const { name, values, location } of located) {
    const records = groups.get(location.zone) ?? new Map<string, RecordChange>();
    const change = records.get(location.record) ?? { names: new Set(), texts: new Set() };
    groups.set(location.zone, records.set(location.record, change));
    change.names.add(name);
    for (const { value } of values) if (value !== '') change.texts.add(value);
  }
  return groups;
}

/** Resolves when the work ends or `ms` milliseconds have passed. */
async function withinMs(work: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stopTimer = clock.after(ms, resolve);
  await Promise.race([work, promise]);
  stopTimer();
}

function ignore(): void {}
