// Finds the public hosted zone that a record belongs in.
import { PromiseCache } from '../../async/promise-cache.ts';
import { DnsError, type FindNameServers } from '../../ports/dns.ts';
import type { Log } from '../../ports/log.ts';
import { closeness, isWithin, type Route53Account } from './accounts.ts';
import type { HostedZone } from './calls.ts';

/** The hosted zone of a record. */
export interface ZoneChoice {
  readonly zone: HostedZone;
  /** Zones with longer names that match the record too, but that DNS does not lead to. */
  readonly unused: readonly HostedZone[];
}

/** The public hosted zones of all accounts. Each account is listed once, when a name is searched that it may
 *  have. */
export class HostedZones {
  readonly #accounts: readonly Route53Account[];
  readonly #findNameServers: FindNameServers;
  readonly #listed = new PromiseCache<readonly HostedZone[]>();
  /** Of several zones with one name, the one that DNS delegates to, by that name and the ids. */
  readonly #delegated = new PromiseCache<HostedZone>();
  /** Of zones of several names, the choice, by their ids. */
  readonly #followed = new PromiseCache<ZoneChoice>();
  readonly #delegationSets = new PromiseCache<readonly string[]>();
  readonly #log: Log;

  constructor(accounts: readonly Route53Account[], findNameServers: FindNameServers, log: Log) {
    this.#accounts = accounts;
    this.#findNameServers = findNameServers;
    this.#log = log;
  }

  /** The zone of a record: of those whose name equals the record's or is above it, the one with the longest
   *  name that DNS leads to. Of several with that name, the one that DNS delegates to. `undefined` if no zone
   *  matches, `no zones` if there are none at all.
   *  @throws DnsError `NoZone` if DNS delegates to none or several of them; what the calls and DNS throw. */
  async find(record: string, signal: AbortSignal): Promise<ZoneChoice | 'no zones' | undefined> {
    const zones = await this.#list(record, signal);
    if (zones.length === 0) return 'no zones';
    const matching = zones.filter(({ name }) => isWithin(record, name));
    const groups = [...Map.groupBy(matching, ({ name }) => name).values()].toSorted(
      (a, b) => nameLength(b) - nameLength(a),
    );
    const [longest] = groups;
    if (!longest) return undefined;
    if (groups.length === 1) return { zone: await this.#choose(longest, signal), unused: [] };
    return this.#followed.get(keyOf(groups.flat()), () => this.#follow(groups, signal));
  }

  /** The zone that DNS leads to, of zones with several names, the longest first. If DNS leads to none of them
   *  for certain, the longest, as if it were alone. */
  async #follow(groups: readonly (readonly HostedZone[])[], signal: AbortSignal): Promise<ZoneChoice> {
    const [longest = [], ...shorter] = groups;
    if (!(await this.#hasServers(longest, signal))) {
      for (const [index, group] of shorter.entries()) {
        if (!(await this.#leadsTo(group, signal))) continue;
        const unused = groups.slice(0, index + 1).flat();
        const zone = await this.#choose(group, signal);
        for (const { id, name } of unused)
          this.#log.warn('hosted zone not used', { zone: name, id, writtenTo: zone.name });
        return { zone, unused };
      }
    }
    return { zone: await this.#choose(longest, signal), unused: [] };
  }

  /** Whether DNS has name servers for the zones' name. Also true if it does not answer. */
  async #hasServers([zone]: readonly HostedZone[], signal: AbortSignal): Promise<boolean> {
    try {
      return !zone || (await this.#findNameServers(zone.name, signal)).length > 0;
    } catch {
      return true;
    }
  }

  /** Whether DNS leads to a name server of one of the zones. False if it or AWS does not answer. */
  async #leadsTo(zones: readonly HostedZone[], signal: AbortSignal): Promise<boolean> {
    try {
      const [first] = zones;
      const live = first ? await this.#findNameServers(first.name, signal) : [];
      if (live.length === 0) return false;
      const assigned = await Promise.all(zones.map((zone) => this.delegationSet(zone, signal)));
      return assigned.flat().some((server) => live.includes(server));
    } catch {
      return false;
    }
  }

  /** Of several zones of one name, the one that DNS delegates to. */
  async #choose(zones: readonly HostedZone[], signal: AbortSignal): Promise<HostedZone> {
    const [first] = zones;
    if (first && zones.length === 1) return first;
    const name = first?.name ?? '';
    return this.#delegated.get(keyOf(zones), () => this.#findDelegated(name, zones, signal));
  }

  /** The name servers that AWS assigned to the zone, read once. @throws DnsError. */
  delegationSet(zone: HostedZone, signal: AbortSignal): Promise<readonly string[]> {
    return this.#delegationSets.get(zone.id, () => zone.calls.delegationSet(zone, signal));
  }

  /** The zones of all accounts that may have the record. If several roles list one zone, the role with the
   *  closest match is used. Rejects if one account cannot be listed, because its zone may be the best
   *  match. */
  async #list(record: string, signal: AbortSignal): Promise<readonly HostedZone[]> {
    const accounts = this.#accounts
      .map((account, index) => ({ account, index, close: closeness(account, record) }))
      .filter((entry): entry is typeof entry & { close: number } => entry.close !== undefined)
      .toSorted((a, b) => b.close - a.close);
    const lists = await Promise.all(
      accounts.map(({ account, index }) =>
        this.#listed.get(String(index), () => account.calls.listPublicZones(signal)),
      ),
    );
    const byId = new Map<string, HostedZone>();
    for (const zone of lists.flat()) if (!byId.has(zone.id)) byId.set(zone.id, zone);
    return [...byId.values()];
  }

  /** The zone whose name servers DNS answers. Two zones of one name never share a name server. */
  async #findDelegated(name: string, zones: readonly HostedZone[], signal: AbortSignal): Promise<HostedZone> {
    const live = await this.#findNameServers(name, signal);
    const assigned = await Promise.all(zones.map((zone) => this.delegationSet(zone, signal)));
    const delegated = zones.filter((_, index) => assigned[index]?.some((server) => live.includes(server)));
    if (delegated[0] && delegated.length === 1) return delegated[0];
    const ids = zones.map(({ id }) => id).join(' and ');
    const servers = live.length > 0 ? live.join(', ') : 'no name server';
    throw new DnsError(
      'NoZone',
      `you have several public hosted zones ${name} (${ids}), and the name servers in DNS (${servers}) do not belong to exactly one of them; delete the zones that are not in use, and set the NS records of ${name} to the name servers of the one that is`,
    );
  }
}

function nameLength([zone]: readonly HostedZone[]): number {
  return zone?.name.length ?? 0;
}

function keyOf(zones: readonly HostedZone[]): string {
  return zones.map(({ id }) => id).join(' ');
}
