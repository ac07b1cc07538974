// Finds the addresses of a name at its authoritative servers, because a resolver may cache old ones.
import { DnsError } from '../../ports/dns.ts';
import type { FindAddresses } from '../../ports/probe.ts';
import { Aliases, endOf } from './aliases.ts';
import { type DnsNetwork, type NameServer, NameServers } from './name-servers.ts';
import { createQueries } from './queries.ts';

/** How DNS is reached. */
export interface AddressOptions {
  /** Resolvers as `address[:port]` that are asked instead of the zones' own servers. */
  readonly resolvers?: readonly string[] | undefined;
  /** Default: as any machine on the internet reaches DNS. */
  readonly network?: DnsNetwork;
}

/** Timeout for one name, from its CNAMEs to its addresses. */
const nameMs = 30_000;

/** `FindAddresses` for one run, because it remembers delegations and CNAMEs. It throws DnsError `Lookup` if
 *  DNS does not answer within 30 seconds, and `NoZone` for a circle of CNAMEs. */
export function createFindAddresses({ resolvers, network = {} }: AddressOptions): FindAddresses {
  const resolver = resolvers ?? network.resolver;
  const queriesFor = createQueries();
  const aliases = new Aliases(queriesFor, resolver);
  const bySignal = new WeakMap<AbortSignal, NameServers>();
  // Queries to the same list share their sockets, so each zone has one list.
  const lists = new WeakMap<readonly NameServer[], readonly string[]>();
  const addressList = (servers: readonly NameServer[]): readonly string[] => {
    const list = lists.get(servers) ?? ipv4First(servers);
    lists.set(servers, list);
    return list;
  };
  return async (name, signal) => {
    const find = async (): Promise<readonly string[]> => {
      const queries = queriesFor(signal);
      const nameServers = bySignal.get(signal) ?? new NameServers(queries, network);
      bySignal.set(signal, nameServers);
      const target = endOf(await aliases.follow(name, signal));
      const servers = resolvers ?? addressList(await nameServers.find(target));
      const addresses = await Promise.all(
        ([4, 6] as const).map((family) => queries.addresses(target, family, servers)),
      );
      return [...new Set(addresses.flat())];
    };
    const late = Promise.withResolvers<never>();
    const message = `DNS did not answer for ${name} within ${nameMs / 1000} s`;
    const timer = setTimeout(() => late.reject(new DnsError('Lookup', message)), nameMs);
    try {
      return await Promise.race([find(), late.promise]);
    } catch (error) {
      // An aborted query fails with errors of several kinds.
      signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Addresses of the servers, IPv4 first, because this machine may have no IPv6. */
function ipv4First(servers: readonly NameServer[]): readonly string[] {
  return servers.toSorted((a, b) => a.family - b.family).map(({ address }) => address);
}
