// Finds the authoritative name servers of a name: the NS records of its zone, and their addresses.
import { PromiseCache } from '../../async/promise-cache.ts';
import { formatEndpoint, parseEndpoint } from '../../certificate/endpoint.ts';
import { DnsError } from '../../ports/dns.ts';
import { isPublicAddress } from './public-addresses.ts';
import type { DnsQueries, ServerAddress } from './queries.ts';

/** One name server at one of its addresses. */
export interface NameServer {
  /** For messages: `ns-1.example.net (192.0.2.1)`. */
  readonly label: string;
  /** `192.0.2.1:53` or `[2001:db8::1]:53`. */
  readonly address: string;
  readonly family: 4 | 6;
}

/** How DNS servers are reached. Tests set it; by default as any machine on the internet does. */
export interface DnsNetwork {
  /** Answers queries for delegations and addresses. Default: the machine's resolver. */
  readonly resolver?: ServerAddress;
  /** Port of authoritative servers. Default: 53. */
  readonly port?: number;
  /** Whether an authoritative server at this IP address may be asked. Default: only public addresses, and
   *  those of this machine if `resolver` is on it. */
  readonly mayAsk?: (address: string) => boolean;
}

/** Most servers of one zone that are asked. The owner of a zone, who may be a stranger, decides how many it
 *  has. */
const mostServers = 6;

/** Finds name servers, and remembers them for each zone; a failure is not remembered. Servers at private
 *  addresses are left out: a stranger's zone must not lead this machine to an address that only this machine
 *  can reach. */
export class NameServers {
  readonly #queries: DnsQueries;
  readonly #network: DnsNetwork;
  readonly #found = new PromiseCache<readonly NameServer[]>();

  constructor(queries: DnsQueries, network: DnsNetwork) {
    this.#queries = queries;
    this.#network = network;
  }

  /** The authoritative servers of a name: at most 6, IPv4 first. Every server comes at one of its addresses
   *  before any comes at a second one.
   *  @throws DnsError `Lookup` if there are none, or all are at private addresses. */
  find(name: string): Promise<readonly NameServer[]> {
    return this.#found.get(name, () => this.#climb(name));
  }

  async #climb(name: string): Promise<readonly NameServer[]> {
    const hosts = await this.#queries.nameServers(name, this.#network.resolver);
    if (hosts.length > 0) return this.#locate(name, hosts);
    const dot = name.indexOf('.');
    if (dot === -1) throw new DnsError('Lookup', `no zone above ${name} has name servers`);
    return this.find(name.slice(dot + 1));
  }

  async #locate(zone: string, hosts: readonly string[]): Promise<readonly NameServer[]> {
    const { resolver, mayAsk = (ip) => isPublicAddress(ip) || (isLoopback(ip) && isOnLoopback(resolver)) } =
      this.#network;
    const results = await Promise.allSettled(
      hosts.flatMap((host) => [this.#serversAt(host, 4), this.#serversAt(host, 6)]),
    );
    const found = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    const servers = found.filter(({ ip }) => mayAsk(ip)).toSorted((a, b) => a.rank - b.rank);
    if (servers.length > 0) return servers.slice(0, mostServers);
    const names = hosts.slice(0, mostServers).join(', ');
    if (found.length > 0) {
      const addresses = found.slice(0, mostServers).map(({ ip }) => ip);
      throw new DnsError(
        'Lookup',
        `the name servers of ${zone} (${names}) have no public address (${addresses.join(', ')}), and private ones are not asked; set CERTRELAY_RESOLVERS to a resolver that knows the zone`,
      );
    }
    throw new DnsError('Lookup', `the name servers of ${zone} (${names}) have no address`, {
      cause: results.find((result) => result.status === 'rejected')?.reason,
    });
  }

  async #serversAt(host: string, family: 4 | 6) {
    const { resolver, port = 53 } = this.#network;
    const addresses = await this.#queries.addresses(host, family, resolver);
    return addresses.map((ip, index) => ({
      ip,
      // IPv4 first, because this machine may have no IPv6.
      rank: 2 * index + (family === 4 ? 0 : 1),
      label: `${host} (${ip})`,
      address: formatEndpoint({ address: ip, port }),
      family,
    }));
  }
}

function isOnLoopback(resolver: ServerAddress): boolean {
  return [resolver ?? []].flat().some((address) => isLoopback(parseEndpoint(address)?.address ?? ''));
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}
