// Which hosted zone a record belongs in.

import { Memory } from '../../async/memo.ts';
import { DnsError, type FindNameServers } from '../../ports/dns.ts';
import { closeness, isWithin, type Route53Account } from './accounts.ts';
import type { HostedZone } from './calls.ts';

/** The public zones of all accounts; those of one are listed once, at the first question about a name that it may hold. */
export class HostedZones {
  readonly #accounts: readonly Route53Account[];
  readonly #findNameServers: FindNameServers;
  readonly #listed = new Memory<readonly HostedZone[]>();
  /** Zones that share their name with others, by that name and their ids. */
  readonly #delegated = new Memory<HostedZone>();
  readonly #delegationSets = new Memory<readonly string[]>();

  constructor(accounts: readonly Route53Account[], findNameServers: FindNameServers) {
    this.#accounts = accounts;
    this.#findNameServers = findNameServers;
  }

  /** The zone with the longest name that the record's name ends in; of several with that name, the one that DNS leads to.
   *  @throws DnsError `NoZone` where DNS leads to none of them; whatever listing them and asking DNS throws. */
  async find(record: string, signal: AbortSignal): Promise<HostedZone | undefined> {
    const zones = await this.#list(record, signal);
    const holders = zones.filter(({ name }) => isWithin(record, name));
    const [first] = holders.toSorted((a, b) => b.name.length - a.name.length);
    const same = holders.filter(({ name }) => name === first?.name);
    if (!first || same.length === 1) return first;
    const key = [first.name, ...same.map(({ id }) => id)].join(' ');
    return this.#delegated.recall(key, () => this.#tellApart(first.name, same, signal));
  }

  /** Name servers that AWS gave the zone. @throws DnsError. */
  delegationSet(zone: HostedZone, signal: AbortSignal): Promise<readonly string[]> {
    return this.#delegationSets.recall(zone.id, () => zone.calls.delegationSet(zone, signal));
  }

  /** The zones of the accounts that may hold the record. A zone that several roles see is taken by the one with the closest
   *  name. One account that cannot be listed fails it: the zone it holds may be the longer one. */
  async #list(record: string, signal: AbortSignal): Promise<readonly HostedZone[]> {
    const near = this.#accounts
      .map((account, index) => ({ account, index, close: closeness(account, record) }))
      .filter((one): one is typeof one & { close: number } => one.close !== undefined)
      .toSorted((a, b) => b.close - a.close);
    const lists = await Promise.all(
      near.map(({ account, index }) =>
        this.#listed.recall(String(index), () => account.calls.listPublicZones(signal)),
      ),
    );
    const byId = new Map<string, HostedZone>();
    for (const zone of lists.flat()) if (!byId.has(zone.id)) byId.set(zone.id, zone);
    return [...byId.values()];
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
      `there are several public hosted zones ${name} of yours (${ids}), and DNS answers ${answer} for it, which tells of no one of them; delete those that are not in use, and make its NS records those of the one that is`,
    );
  }
}
