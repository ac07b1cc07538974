// Asks DNS servers, each directly and without a cache, until a signal ends it.
import { Resolver } from 'node:dns/promises';
import { DnsError } from '../errors.ts';

/** A server to ask: `address`, `address:port` or `[address]:port`; `undefined`: the resolvers this machine is set up with. */
export type ServerAddress = string | undefined;

/** How long one server may take for one question; asked twice, because UDP loses packets. */
const attempt = { timeout: 2_000, tries: 2 };

/** Questions that end with the signal. */
export class DnsQuestions {
  readonly #signal: AbortSignal;
  readonly #resolvers = new Map<ServerAddress, Resolver>();
  readonly #cancel = () => {
    for (const resolver of this.#resolvers.values()) resolver.cancel();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#cancel, { once: true });
  }

  /** The TXT values at a name, each with its strings joined; none where the name or the type is not there.
   *  @throws DnsError `Lookup` where the server does not answer. */
  async texts(name: string, server: ServerAddress): Promise<readonly string[]> {
    const values = await this.#ask('TXT', name, server, (resolver) => resolver.resolveTxt(name));
    return values.map((strings) => strings.join(''));
  }

  /** Host names of the servers that have authority for a zone; none where no zone begins at the name.
   *  @throws DnsError `Lookup` where the server does not answer. */
  nameServers(name: string, server: ServerAddress): Promise<readonly string[]> {
    return this.#ask('NS', name, server, (resolver) => resolver.resolveNs(name));
  }

  /** Addresses of a host.
   *  @throws DnsError `Lookup` where the server does not answer. */
  addresses(host: string, family: 4 | 6, server: ServerAddress): Promise<readonly string[]> {
    return family === 4
      ? this.#ask('A', host, server, (resolver) => resolver.resolve4(host))
      : this.#ask('AAAA', host, server, (resolver) => resolver.resolve6(host));
  }

  /** Lets go of the signal. */
  close(): void {
    this.#signal.removeEventListener('abort', this.#cancel);
  }

  async #ask<T>(
    type: string,
    name: string,
    server: ServerAddress,
    question: (resolver: Resolver) => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    this.#signal.throwIfAborted();
    try {
      return await question(this.#resolverFor(server));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      // NXDOMAIN and an empty answer: both say that there is no such record.
      if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
      const asked = server ?? "this machine's resolver";
      throw new DnsError('Lookup', `${asked} did not answer ${type} ${name} (${code})`, { cause: error });
    }
  }

  #resolverFor(server: ServerAddress): Resolver {
    const known = this.#resolvers.get(server);
    if (known) return known;
    const resolver = new Resolver(attempt);
    if (server !== undefined) resolver.setServers([server]);
    this.#resolvers.set(server, resolver);
    return resolver;
  }
}
