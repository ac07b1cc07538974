// DNS-01 values in Route 53: one atomic change per hosted zone to add them all, one to take them away.
import { mapConcurrently } from '../concurrency.ts';
import type { ChallengeRecords, RecordOutcome, TxtValue } from '../ports.ts';
import type { HostedZone } from './calls.ts';
import type { HostedZones } from './hosted-zones.ts';
import { awaitInsync } from './insync.ts';
import { changeZone, type ZoneContext, type ZoneOutcome } from './zone-change.ts';

/** Zones changed side by side; the pace of requests is the narrower limit. */
const zonesAtOnce = 5;

/** `ChallengeRecords` over the hosted zones of one AWS account. */
export class Route53Records implements ChallengeRecords {
  readonly #zones: HostedZones;
  readonly #context: ZoneContext;
  /** The last change of each zone, under way or over. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(zones: HostedZones, context: ZoneContext) {
    this.#zones = zones;
    this.#context = context;
  }

  async present(values: readonly TxtValue[], signal: AbortSignal): Promise<RecordOutcome> {
    const { calls, clock } = this.#context;
    const failed = new Map<string, Error>();
    // Each zone is waited for while others are still being written.
    const waits: Promise<void>[] = [];
    await this.#changeAll('add', values, signal, failed, ({ accepted }) => {
      for (const { change, names } of accepted) {
        waits.push(
          awaitInsync(change, calls, clock, signal).catch((error: Error) => {
            for (const name of names) failed.set(name, error);
          }),
        );
      }
    });
    await Promise.all(waits);
    return { failed };
  }

  async cleanUp(values: readonly TxtValue[], signal: AbortSignal): Promise<RecordOutcome> {
    const failed = new Map<string, Error>();
    await this.#changeAll('remove', values, signal, failed, () => undefined);
    return { failed };
  }

  async #changeAll(
    kind: 'add' | 'remove',
    values: readonly TxtValue[],
    signal: AbortSignal,
    failed: Map<string, Error>,
    onChanged: (outcome: ZoneOutcome) => void,
  ): Promise<void> {
    const byName = new Map<string, Set<string>>();
    for (const { name, value } of values) {
      byName.set(name, (byName.get(name) ?? new Set()).add(value));
    }
    const groups = await this.#groupByZone([...byName.keys()], signal, failed);
    await mapConcurrently([...groups], zonesAtOnce, async ([zone, names]) => {
      const wanted = new Map(names.map((name) => [name, [...(byName.get(name) ?? [])]]));
      const outcome = await this.#inTurn(zone, () =>
        changeZone({ kind, zone, values: wanted }, this.#context, signal),
      );
      for (const [name, error] of outcome.failed) failed.set(name, error);
      onChanged(outcome);
    });
  }

  /** Names by the zone that holds them; those without one are written down as failed. */
  async #groupByZone(
    names: readonly string[],
    signal: AbortSignal,
    failed: Map<string, Error>,
  ): Promise<ReadonlyMap<HostedZone, readonly string[]>> {
    const groups = new Map<HostedZone, string[]>();
    for (const name of names) {
      try {
        const zone = await this.#zones.find(name, signal);
        groups.set(zone, [...(groups.get(zone) ?? []), name]);
      } catch (error) {
        failed.set(name, error instanceof Error ? error : new Error(String(error)));
      }
    }
    return groups;
  }

  /** One change at a time in each zone: a second one would only meet the first. */
  #inTurn<T>(zone: HostedZone, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(zone.id) ?? Promise.resolve()).then(work);
    this.#turns.set(zone.id, turn);
    return turn;
  }
}
