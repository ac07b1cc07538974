// Finds the public hosted zone that a record belongs in.
import { PromiseCache } from '../../async/promise-cache.ts';
import { DnsError, type FindNameServers } from '../../ports/dns.ts';
import { closeness, isWithin, type Route53Account } from './accounts.ts';
import type { HostedZone } from './calls.ts';

/** The public hosted zones of all accounts. Each account is listed once, when a name is searched that it may
 *  have. */
export class HostedZones {
  readonly #accounts: readonly Route53Account[];
  readonly #findNameServers: FindNameServers;
  readonly #listed = new PromiseCache<readonly HostedZone[]>();
  /** Of several zones with one name, the one that DNS delegates to, by that name and the ids. */
  readonly #delegated = new PromiseCache<HostedZone>();
  readonly #delegationSets = new PromiseCache<readonly string[]>();

  constructor(accounts: readonly Route53Account[], findNameServers: FindNameServers) {
    this.#accounts = accounts;
    this.#findNameServers = findNameServers;
  }

  /** The zone of a record: the one with the longest name that equals the record's or is above it. Of several
   *  with that name, the one that DNS delegates to. `undefined` if no zone matches.
   *  @throws DnsError `NoZone` if DNS delegates to none or several of them; what the calls and DNS throw. */
  async find(record: string, signal: AbortSignal): Promise<HostedZone | undefined> {
    const zones = await this.#list(record, signal);
    const matching = zones.filter(({ name }) => isWithin(record, name));
    const [longest] = matching.toSorted((a, b) => b.name.length - a.name.length);
    const candidates = matching.filter(({ name }) => name === longest?.name);
    if (!longest || candidates.length === 1) return longest;
    const key = [longest.name, ...candidates.map(({ id }) => id)].join(' ');
    return this.#delegated.get(key, () => this.#findDelegated(longest.name, candidates, signal));
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
