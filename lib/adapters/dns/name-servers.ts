// Finds the servers that have authority for a name: the NS records of its closest ancestor, and their addresses.

import { Memory } from '../../async/memo.ts';
import { DnsError } from '../../ports/dns.ts';
import { isPublicAddress } from './public-addresses.ts';
import type { DnsQuestions, ServerAddress } from './questions.ts';

/** One server at one of its addresses. */
export interface Server {
  /** For messages: `ns-1.example.net (192.0.2.1)`. */
  readonly label: string;
  readonly address: string;
  readonly family: 4 | 6;
}

/** Where DNS is asked. */
export interface DnsNetwork {
  /** Who is asked for delegations and addresses; absent: the system's resolver. */
  readonly resolver?: ServerAddress;
  /** Where authoritative servers listen; 53 where absent. */
  readonly port?: number;
  /** Whether an authoritative server may be asked at an address; absent: at public ones alone, and at this machine's own
   *  where the named resolver is on it, too. */
  readonly mayAsk?: (address: string) => boolean;
}

/** Servers of one zone that are asked: whoever writes the zone says how many there are. */
const mostServers = 6;

/** Name servers by zone; what names have in common is looked up once, and again only where it failed. Whoever writes a zone
 *  must not lead this machine to what only this machine can reach, so private servers are passed over. */
export class NameServers {
  readonly #questions: DnsQuestions;
  readonly #network: DnsNetwork;
  readonly #found = new Memory<readonly Server[]>();

  constructor(questions: DnsQuestions, network: DnsNetwork) {
    this.#questions = questions;
    this.#network = network;
  }

  /** The servers that have authority for the name, each at one of its addresses before any is given at another; six at most.
   *  @throws DnsError `Lookup` where they cannot be found, or none may be asked. */
  find(name: string): Promise<readonly Server[]> {
    return this.#found.recall(name, () => this.#climb(name));
  }

  async #climb(name: string): Promise<readonly Server[]> {
    const hosts = await this.#questions.nameServers(name, this.#network.resolver);
    if (hosts.length > 0) return this.#locate(name, hosts);
    const dot = name.indexOf('.');
    if (dot === -1) throw new DnsError('Lookup', `no zone above ${name} has name servers`);
    return this.find(name.slice(dot + 1));
  }

  async #locate(zone: string, hosts: readonly string[]): Promise<readonly Server[]> {
    const { resolver, mayAsk = (ip) => isPublicAddress(ip) || (isLoopback(ip) && isOnLoopback(resolver)) } =
      this.#network;
    const answers = await Promise.allSettled(
      hosts.flatMap((host) => [this.#serversAt(host, 4), this.#serversAt(host, 6)]),
    );
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const servers = found.filter(({ ip }) => mayAsk(ip)).toSorted((one, other) => one.rank - other.rank);
    if (servers.length > 0) return servers.slice(0, mostServers);
    const named = hosts.slice(0, mostServers).join(', ');
    if (found.length > 0) {
      const places = found.slice(0, mostServers).map(({ ip }) => ip);
      throw new DnsError(
        'Lookup',
        `the name servers of ${zone} (${named}) have no public address (${places.join(', ')}), and private ones are not asked; set CERTRELAY_RESOLVERS to a resolver that knows the zone`,
      );
    }
    throw new DnsError('Lookup', `the name servers of ${zone} (${named}) have no address`, {
      cause: answers.find((answer) => answer.status === 'rejected')?.reason,
    });
  }

  async #serversAt(host: string, family: 4 | 6) {
    const { resolver, port = 53 } = this.#network;
    const addresses = await this.#questions.addresses(host, family, resolver);
    return addresses.map((ip, index) => ({
      ip,
      // A machine may have no way to IPv6.
      rank: 2 * index + (family === 4 ? 0 : 1),
      label: `${host} (${ip})`,
      address: family === 4 ? `${ip}:${port}` : `[${ip}]:${port}`,
      family,
    }));
  }
}

function isOnLoopback(resolver: ServerAddress): boolean {
  return [resolver ?? []].flat().some((address) => isLoopback(address.replace(/:\d+$/, '')));
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1' || ip === '[::1]';
}
