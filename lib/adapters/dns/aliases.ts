// Follows the CNAMEs of a name to the name that has the records.
import { PromiseCache } from '../../async/promise-cache.ts';
import type { AliasChain } from '../../policy/dns/preflight-facts.ts';
import { DnsError } from '../../ports/dns.ts';
import type { QueriesFor, ServerAddress } from './queries.ts';

/** Most CNAMEs that are followed; public resolvers and CAs have about the same limit. */
const mostAliases = 8;

/** Follows CNAMEs, and remembers the chain of each name; a failure is not remembered. */
export class Aliases {
  readonly #queries: QueriesFor;
  readonly #resolver: ServerAddress;
  readonly #chains = new PromiseCache<AliasChain>();

  constructor(queries: QueriesFor, resolver: ServerAddress) {
    this.#queries = queries;
    this.#resolver = resolver;
  }

  /** The chain of CNAMEs that begins at a name.
   *  @throws DnsError `Lookup` if DNS does not answer. */
  follow(name: string, signal: AbortSignal): Promise<AliasChain> {
    return this.#chains.get(name, () => this.#follow(name, signal));
  }

  async #follow(name: string, signal: AbortSignal): Promise<AliasChain> {
    const names = [name];
    for (let at = name; ; ) {
      const target = await this.#queries(signal).alias(at, this.#resolver);
      if (target === undefined) return { kind: 'ends', names };
      const kind = names.includes(target) ? 'circle' : names.length > mostAliases ? 'too long' : undefined;
      names.push(target);
      if (kind) return { kind, names };
      at = target;
    }
  }
}

/** The last name of a chain: the first name itself if it has no CNAME.
 *  @throws DnsError `NoZone` if the chain is a circle or too long. */
export function endOf({ kind, names }: AliasChain): string {
  const [first = ''] = names;
  if (kind === 'ends') return names.at(-1) ?? first;
  const fault = kind === 'circle' ? 'lead in a circle' : `are more than ${mostAliases}`;
  throw new DnsError(
    'NoZone',
    `the CNAMEs at ${first} ${fault} (${names.join(' → ')}); make it a CNAME for one name in a hosted zone of yours, or remove it`,
  );
}
