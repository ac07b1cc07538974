// DNS-01 values in Route 53: one atomic change per hosted zone to add them all, one to take them away.
import { mapConcurrently } from '../concurrency.ts';
import type { ChallengeRecords, RecordOutcome, TxtValue } from '../dns-ports.ts';
import { DnsError, toError } from '../errors.ts';
import type { HostedZone } from './calls.ts';
import { awaitInsync } from './insync.ts';
import type { Places } from './places.ts';
import { changeZone, type ZoneContext } from './zone-change.ts';

/** Names whose CNAMEs are followed side by side. */
const namesAtOnce = 50;
/** Zones changed side by side; the pace of requests is the narrower limit. */
const zonesAtOnce = 5;

/** What one record is to hold, and for which challenge names: CNAMEs may lead several to it. */
interface Wanted {
  readonly names: Set<string>;
  readonly texts: Set<string>;
}

/** `ChallengeRecords` over hosted zones, each with the calls of its own AWS account. */
export class Route53Records implements ChallengeRecords {
  readonly #places: Places;
  readonly #context: ZoneContext;
  /** The last change of each zone, under way or over. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(places: Places, context: ZoneContext) {
    this.#places = places;
    this.#context = context;
  }

  async present(values: readonly TxtValue[], signal: AbortSignal): Promise<RecordOutcome> {
    const { clock } = this.#context;
    const failed = new Map<string, Error>();
    // Each zone is waited for while others are still being written.
    const waits: Promise<void>[] = [];
    await this.#changeAll('add', values, signal, failed, ({ calls }, change, names) => {
      waits.push(
        awaitInsync(change, calls, clock, signal).catch((error: Error) => {
          for (const name of names) failed.set(name, error);
        }),
      );
    });
    await Promise.all(waits);
    return { failed };
  }

  async cleanUp(values: readonly TxtValue[], signal: AbortSignal): Promise<RecordOutcome> {
    const failed = new Map<string, Error>();
    await this.#changeAll('remove', values, signal, failed, () => undefined);
    // Where no zone of ours takes a value, there is none to take away.
    const left = [...failed].filter(([, error]) => !(error instanceof DnsError && error.code === 'NoZone'));
    return { failed: new Map(left) };
  }

  async #changeAll(
    kind: 'add' | 'remove',
    values: readonly TxtValue[],
    signal: AbortSignal,
    failed: Map<string, Error>,
    onAccepted: (zone: HostedZone, change: string, names: readonly string[]) => void,
  ): Promise<void> {
    const groups = await this.#groupByZone(values, signal, failed);
    await mapConcurrently([...groups], zonesAtOnce, async ([zone, records]) => {
      const wanted = new Map([...records].map(([record, { texts }]) => [record, [...texts]]));
      const outcome = await this.#inTurn(zone, () =>
        changeZone({ kind, zone, values: wanted }, this.#context, signal),
      );
      const namesOf = (record: string) => [...(records.get(record)?.names ?? [])];
      for (const [record, error] of outcome.failed) {
        for (const name of namesOf(record)) failed.set(name, error);
      }
      for (const { change, names } of outcome.accepted) onAccepted(zone, change, names.flatMap(namesOf));
    });
  }

  /** Values by the zone and the record that take them; names without a place are written down as failed. */
  async #groupByZone(
    values: readonly TxtValue[],
    signal: AbortSignal,
    failed: Map<string, Error>,
  ): Promise<ReadonlyMap<HostedZone, ReadonlyMap<string, Wanted>>> {
    const groups = new Map<HostedZone, Map<string, Wanted>>();
    const byName = Map.groupBy(values, ({ name }) => name);
    await mapConcurrently([...byName], namesAtOnce, async ([name, own]) => {
      try {
        const { zone, record } = await this.#places.find(name, signal);
        const records = groups.get(zone) ?? new Map<string, Wanted>();
        const wanted = records.get(record) ?? { names: new Set(), texts: new Set() };
        groups.set(zone, records.set(record, wanted));
        wanted.names.add(name);
        for (const { value } of own) wanted.texts.add(value);
      } catch (error) {
        failed.set(name, toError(error));
      }
    });
    return groups;
  }

  /** One change at a time in each zone: a second one would only meet the first. */
  #inTurn<T>(zone: HostedZone, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(zone.id) ?? Promise.resolve()).then(work);
    this.#turns.set(zone.id, turn);
    return turn;
  }
}
