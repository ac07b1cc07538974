// Sends queries to DNS servers, without a cache, until a signal is aborted.
import { getServers, Resolver } from 'node:dns/promises';
import type { CaaRecord } from '../../policy/dns/caa.ts';
import { DnsError } from '../../ports/dns.ts';

/** The server that a query is sent to: `address`, `address:port` or `[address]:port`. A list is tried in
 *  order until one server answers. `undefined`: the resolvers of this machine. */
export type ServerAddress = string | readonly string[] | undefined;

/** Timeout of one query, over all servers and attempts. */
const queryMs = 10_000;
/** Timeout of the first attempt at one server. The second one, for a lost UDP packet, takes twice as long. */
const attemptMs = 2_000;
const tries = 2;
/** Limits of one answer: the owner of a zone, who may be a stranger, decides how many records it has. */
const mostNameServers = 20;
const mostCaaRecords = 100;

/** Returns the queries that end when the signal is aborted. Calls with the same signal share their
 *  sockets. */
export type QueriesFor = (signal: AbortSignal) => DnsQueries;

/** Remembers one `DnsQueries` for each signal. */
export function createQueries(): QueriesFor {
  const bySignal = new WeakMap<AbortSignal, DnsQueries>();
  return (signal) => {
    const queries = bySignal.get(signal) ?? new DnsQueries(signal);
    bySignal.set(signal, queries);
    return queries;
  };
}

/** Queries that end when a signal is aborted. */
export class DnsQueries {
  readonly #signal: AbortSignal;
  readonly #resolvers = new Map<ServerAddress, Resolver>();
  readonly #cancel = () => {
    for (const resolver of this.#resolvers.values()) resolver.cancel();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#cancel, { once: true });
  }

  /** The TXT values at a name, each with its strings joined. Empty if the name has none or does not exist.
   *  @throws DnsError `Lookup` if no server answers; `Failed` if the signal is aborted. */
  async texts(name: string, server: ServerAddress): Promise<readonly string[]> {
    const values = await this.#query('TXT', name, server, (resolver) => resolver.resolveTxt(name));
    return values.map((strings) => strings.join(''));
  }

  /** The target of a name's CNAME, in lower case without trailing dot; `undefined` if it has no CNAME.
   *  @throws DnsError `Lookup` if no server answers; `Failed` if the signal is aborted. */
  async alias(name: string, server: ServerAddress): Promise<string | undefined> {
    const [target] = await this.#query('CNAME', name, server, (resolver) => resolver.resolveCname(name));
    return target === undefined ? undefined : plainName(target);
  }

  /** The CAA records at a name, or at the target of its CNAME: at most 100, empty if there are none.
   *  @throws DnsError `Lookup` if no server answers; `Failed` if the signal is aborted. */
  async caaRecords(name: string, server: ServerAddress): Promise<readonly CaaRecord[]> {
    const records = await this.#query('CAA', name, server, (resolver) => resolver.resolveCaa(name));
    // In Node's record the tag is the name of a property. `critical` has the flags, `type` the record's type.
    return records.slice(0, mostCaaRecords).flatMap(({ critical: flags, ...properties }) =>
      Object.entries(properties)
        .filter(([tag]) => tag !== 'type')
        .map(([tag, value]) => ({ flags, tag: tag.toLowerCase(), value: String(value) })),
    );
  }

  /** The host names in the NS records of a zone: at most 20, empty if the name is not the top of a zone. An
   *  alias, e.g. by a wildcard, is none: resolvers answer it the servers of its target.
   *  @throws DnsError `Lookup` if no server answers; `Failed` if the signal is aborted. */
  async nameServers(name: string, server: ServerAddress): Promise<readonly string[]> {
    const hosts = await this.#query('NS', name, server, (resolver) => resolver.resolveNs(name));
    const target = hosts.length > 0 ? await this.alias(name, server).catch(ignoreLookup) : undefined;
    if (target !== undefined) return [];
    return hosts.slice(0, mostNameServers).map(plainName);
  }

  /** The IPv4 or IPv6 addresses of a host; empty if it has none.
   *  @throws DnsError `Lookup` if no server answers; `Failed` if the signal is aborted. */
  addresses(host: string, family: 4 | 6, server: ServerAddress): Promise<readonly string[]> {
    return family === 4
      ? this.#query('A', host, server, (resolver) => resolver.resolve4(host))
      : this.#query('AAAA', host, server, (resolver) => resolver.resolve6(host));
  }

  /** Stops listening to the signal. */
  close(): void {
    this.#signal.removeEventListener('abort', this.#cancel);
  }

  async #query<T>(
    type: string,
    name: string,
    server: ServerAddress,
    send: (resolver: Resolver) => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    try {
      this.#signal.throwIfAborted();
      return await inTime(send(this.#resolverFor(server)));
    } catch (error) {
      if (this.#signal.aborted) {
        const message = `the run ended before DNS answered ${type} ${name}`;
        throw new DnsError('Failed', message, { cause: this.#signal.reason });
      }
      const code = codeOf(error) ?? 'unknown';
      // NXDOMAIN and an empty answer both mean that there is no such record.
      if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
      const servers = server === undefined ? "this machine's resolver" : [server].flat().join(', ');
      throw new DnsError('Lookup', `${servers} did not answer ${type} ${name} (${code})`, { cause: error });
    }
  }

  #resolverFor(server: ServerAddress): Resolver {
    const known = this.#resolvers.get(server);
    if (known) return known;
    const servers = server === undefined ? getServers() : [server].flat();
    const timeout = Math.min(attemptMs, Math.floor(queryMs / (3 * Math.max(1, servers.length))));
    const resolver = new Resolver({ timeout, tries });
    if (server !== undefined) resolver.setServers(servers);
    this.#resolvers.set(server, resolver);
    return resolver;
  }
}

/** Whether an error of `DnsQueries` means that a server answered SERVFAIL, e.g. because the zone is
 *  broken. */
export function isServfail(error: unknown): boolean {
  return error instanceof DnsError && codeOf(error.cause) === 'ESERVFAIL';
}

/** Whether an error of `DnsQueries` means that a server answered REFUSED. */
export function isRefused(error: unknown): boolean {
  return error instanceof DnsError && codeOf(error.cause) === 'EREFUSED';
}

/** For a question that only makes another's answer surer. */
function ignoreLookup(error: unknown): undefined {
  if (error instanceof DnsError && error.code === 'Lookup') return undefined;
  throw error;
}

/** Limits the time of a query, because over TCP Node's resolver has no timeout.
 *  @throws Error with code `ETIMEOUT`. */
async function inTime<T>(query: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const error = Object.assign(new Error(`no answer within ${queryMs / 1000} s`), { code: 'ETIMEOUT' });
  const timer = setTimeout(() => late.reject(error), queryMs);
  try {
    return await Promise.race([query, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** A name in lower case, without trailing dot. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
