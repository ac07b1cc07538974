// Connects one run to DNS; all its parts share the servers and the remembered answers.
import { PromiseCache } from '../../async/promise-cache.ts';
import type {
  AwaitVisible,
  FindHostedZone,
  FindNameServers,
  Preflight,
  ResolveAlias,
} from '../../ports/dns.ts';
import { Aliases, endOf } from './aliases.ts';
import { createPreflight } from './preflight.ts';
import { createQueries } from './queries.ts';
import { createAwaitVisible, type VisibilityOptions } from './visibility.ts';

/** How DNS is reached. */
export type DnsOptions = Omit<VisibilityOptions, 'resolveAlias'>;

/** DNS as ordering uses it. */
export interface DnsConnection {
  readonly resolveAlias: ResolveAlias;
  readonly findNameServers: FindNameServers;
  readonly awaitVisible: AwaitVisible;
  /** @param delegationZone The zone that CNAMEs of challenges may lead to (`dns.delegationZone`). */
  createPreflight(findZone: FindHostedZone, delegationZone?: string): Preflight;
}

/** A connection for one run, because it remembers answers. Sends nothing before its first use. */
export function connectDns(options: DnsOptions): DnsConnection {
  const resolver = options.resolvers ?? options.network?.resolver;
  const queries = createQueries();
  const aliases = new Aliases(queries, resolver);
  const delegations = new PromiseCache<readonly string[]>();
  const findNameServers: FindNameServers = (zone, signal) =>
    delegations.get(zone, () => queries(signal).nameServers(zone, resolver));
  const resolveAlias: ResolveAlias = async (name, signal) => endOf(await aliases.follow(name, signal));
  return {
    resolveAlias,
    findNameServers,
    awaitVisible: createAwaitVisible({ ...options, resolveAlias }),
    createPreflight: (findZone, delegationZone) =>
      createPreflight({
        queries,
        resolver,
        isChosen: options.resolvers !== undefined,
        network: options.network ?? {},
        aliases,
        findNameServers,
        findZone,
        delegationZone,
      }),
  };
}
