// Finds the servers that have authority for a name: the NS records of its closest ancestor, and their addresses.
import { DnsError } from '../errors.ts';
import { Memory } from '../memory.ts';
import type { DnsQuestions, ServerAddress } from './questions.ts';

/** One server at one of its addresses. */
export interface Server {
  /** For messages: `ns-1.example.net (192.0.2.1)`. */
  readonly label: string;
  readonly address: string;
  readonly family: 4 | 6;
}

/** Name servers by zone; what names have in common is looked up once, and again only where it failed. */
export class NameServers {
  readonly #questions: DnsQuestions;
  readonly #resolver: ServerAddress;
  readonly #port: number;
  readonly #found = new Memory<readonly Server[]>();

  /** @param resolver Who is asked for NS and addresses. @param port Where authoritative servers listen. */
  constructor(questions: DnsQuestions, resolver: ServerAddress, port: number) {
    this.#questions = questions;
    this.#resolver = resolver;
    this.#port = port;
  }

  /** Every address of every server that has authority for the name.
   *  @throws DnsError `Lookup` where they cannot be found. */
  find(name: string): Promise<readonly Server[]> {
    return this.#found.recall(name, () => this.#climb(name));
  }

  async #climb(name: string): Promise<readonly Server[]> {
    const hosts = await this.#questions.nameServers(name, this.#resolver);
    if (hosts.length > 0) return this.#locate(name, hosts);
    const dot = name.indexOf('.');
    if (dot === -1) throw new DnsError('Lookup', `no zone above ${name} has name servers`);
    return this.find(name.slice(dot + 1));
  }

  async #locate(zone: string, hosts: readonly string[]): Promise<readonly Server[]> {
    const answers = await Promise.allSettled(
      hosts.flatMap((host) => [this.#serversAt(host, 4), this.#serversAt(host, 6)]),
    );
    const servers = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (servers.length > 0) return servers;
    throw new DnsError('Lookup', `the name servers of ${zone} (${hosts.join(', ')}) have no address`, {
      cause: answers.find((answer) => answer.status === 'rejected')?.reason,
    });
  }

  async #serversAt(host: string, family: 4 | 6): Promise<readonly Server[]> {
    const addresses = await this.#questions.addresses(host, family, this.#resolver);
    return addresses.map((ip) => ({
      label: `${host} (${ip})`,
      address: family === 4 ? `${ip}:${this.#port}` : `[${ip}]:${this.#port}`,
      family,
    }));
  }
}
