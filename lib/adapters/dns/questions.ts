// Asks DNS servers, each directly and without a cache, until a signal ends it.
import { getServers, Resolver } from 'node:dns/promises';
import type { CaaRecord } from '../../policy/dns/caa.ts';
import { DnsError } from '../../ports/dns.ts';

/** A server to ask: `address`, `address:port` or `[address]:port`; a list is asked in turn until one answers; `undefined`:
 *  the resolvers this machine is set up with. */
export type ServerAddress = string | readonly string[] | undefined;

/** How long one question may take, however many servers are asked in turn, in milliseconds. */
const questionMs = 10_000;
/** How long one server may take at first; the second time, for UDP loses packets, it is given twice as long. */
const attemptMs = 2_000;
const tries = 2;
/** Of one answer: whoever writes a zone says how many there are. */
const mostNameServers = 20;
const mostAuthorizations = 100;

/** Gives the questions that end with a signal; those of one signal share their sockets. */
export type QuestionsUntil = (signal: AbortSignal) => DnsQuestions;

export function createQuestions(): QuestionsUntil {
  const known = new WeakMap<AbortSignal, DnsQuestions>();
  return (signal) => {
    const questions = known.get(signal) ?? new DnsQuestions(signal);
    known.set(signal, questions);
    return questions;
  };
}

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

  /** The name that a CNAME makes this one an alias for; `undefined` where it is none.
   *  @throws DnsError `Lookup` where the server does not answer. */
  async alias(name: string, server: ServerAddress): Promise<string | undefined> {
    const [target] = await this.#ask('CNAME', name, server, (resolver) => resolver.resolveCname(name));
    return target === undefined ? undefined : plainName(target);
  }

  /** The CAA records at a name, those of its alias where it is one; none where there are none.
   *  @throws DnsError `Lookup` where the server does not answer. */
  async authorizations(name: string, server: ServerAddress): Promise<readonly CaaRecord[]> {
    const records = await this.#ask('CAA', name, server, (resolver) => resolver.resolveCaa(name));
    // Node names the property by its tag, beside the flags, which it calls `critical`, and the record's type.
    return records.slice(0, mostAuthorizations).flatMap(({ critical: flags, ...properties }) =>
      Object.entries(properties)
        .filter(([tag]) => tag !== 'type')
        .map(([tag, value]) => ({ flags, tag: tag.toLowerCase(), value: String(value) })),
    );
  }

  /** Host names of the servers that have authority for a zone, 20 at most; none where no zone begins at the name.
   *  @throws DnsError `Lookup` where the server does not answer. */
  async nameServers(name: string, server: ServerAddress): Promise<readonly string[]> {
    const hosts = await this.#ask('NS', name, server, (resolver) => resolver.resolveNs(name));
    return hosts.slice(0, mostNameServers).map(plainName);
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
    try {
      this.#signal.throwIfAborted();
      return await inTime(question(this.#resolverFor(server)));
    } catch (error) {
      if (this.#signal.aborted) {
        const message = `the run ended before DNS answered ${type} ${name}`;
        throw new DnsError('Failed', message, { cause: this.#signal.reason });
      }
      const code = codeOf(error) ?? 'unknown';
      // NXDOMAIN and an empty answer: both say that there is no such record.
      if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
      const asked = server === undefined ? "this machine's resolver" : [server].flat().join(', ');
      throw new DnsError('Lookup', `${asked} did not answer ${type} ${name} (${code})`, { cause: error });
    }
  }

  #resolverFor(server: ServerAddress): Resolver {
    const known = this.#resolvers.get(server);
    if (known) return known;
    const servers = server === undefined ? getServers() : [server].flat();
    const timeout = Math.min(attemptMs, Math.floor(questionMs / (3 * Math.max(1, servers.length))));
    const resolver = new Resolver({ timeout, tries });
    if (server !== undefined) resolver.setServers(servers);
    this.#resolvers.set(server, resolver);
    return resolver;
  }
}

/** Whether a question failed because the server said SERVFAIL, as it does for a zone that is broken. */
export function isServfail(error: unknown): boolean {
  return error instanceof DnsError && codeOf(error.cause) === 'ESERVFAIL';
}

/** @throws Error with code `ETIMEOUT` where a question takes too long, as over TCP it may. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const error = Object.assign(new Error(`no answer within ${questionMs / 1000} s`), { code: 'ETIMEOUT' });
  const timer = setTimeout(() => late.reject(error), questionMs);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** A name as this project writes names: lower case, no trailing dot. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
