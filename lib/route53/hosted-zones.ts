// Which hosted zone a record belongs in.

import type { FindNameServers } from '../dns-ports.ts';
import { DnsError } from '../errors.ts';
import { Memory } from '../memory.ts';
import type { HostedZone, Route53Calls } from './calls.ts';

/** The public zones of the account, listed once, at the first question. */
export class HostedZones {
  readonly #calls: Route53Calls;
  readonly #findNameServers: FindNameServers;
  readonly #listed = new Memory<readonly HostedZone[]>();
  /** Zones that share their name with others, by that name. */
  readonly #delegated = new Memory<HostedZone>();
  readonly #delegationSets = new Memory<readonly string[]>();

  constructor(calls: Route53Calls, findNameServers: FindNameServers) {
    this.#calls = calls;
    this.#findNameServers = findNameServers;
  }

  /** The zone with the longest name that the record's name ends in; of several with that name, the one that DNS leads to.
   *  @throws DnsError `NoZone` where DNS leads to none of them; whatever listing them and asking DNS throws. */
  async find(record: string, signal: AbortSignal): Promise<HostedZone | undefined> {
    const zones = await this.#listed.recall('', () => this.#calls.listPublicZones(signal));
    const holders = zones.filter(({ name }) => record === name || record.endsWith(`.${name}`));
    const [first] = holders.toSorted((a, b) => b.name.length - a.name.length);
    const same = holders.filter(({ name }) => name === first?.name);
    if (!first || same.length === 1) return first;
    return this.#delegated.recall(first.name, () => this.#tellApart(first.name, same, signal));
  }

  /** Name servers that AWS gave the zone. @throws DnsError. */
  delegationSet(zone: HostedZone, signal: AbortSignal): Promise<readonly string[]> {
    return this.#delegationSets.recall(zone.id, () => this.#calls.delegationSet(zone, signal));
  }

  /** No two zones of one name share a name server. */
  async #tellApart(name: string, zones: readonly HostedZone[], signal: AbortSignal): Promise<HostedZone> {
    const live = await this.#findNameServers(name, signal);
    const sets = await Promise.all(zones.map((zone) => this.delegationSet(zone, signal)));
    const delegated = zones.filter((_, index) => sets[index]?.some((server) => live.includes(server)));
    if (delegated[0] && delegated.length === 1) return delegated[0];
    const ids = zones.map(({ id }) => id).join(' and ');
    const answer = live.length > 0 ? live.join(', ') : 'no name server';
    throw new DnsError(
      'NoZone',
      `this AWS account has several public hosted zones ${name} (${ids}), and DNS answers ${answer} for it, which tells of no one of them; delete those that are not in use, and make its NS records those of the one that is`,
    );
  }
}
