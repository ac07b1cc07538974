// Every address of a name, from the servers that have authority for it: what a resolver remembers may be of yesterday.
import type { FindAddresses } from '../probe-ports.ts';
import { Aliases, endOf } from './aliases.ts';
import { NameServers, type Server } from './name-servers.ts';
import { createQuestions } from './questions.ts';

export interface AddressOptions {
  /** `address[:port]`: asked instead of the zones' own servers. */
  readonly resolvers?: readonly string[] | undefined;
  /** Whom to ask for delegations, and where authoritative servers listen; absent: the system's resolver, port 53. */
  readonly network?: { readonly resolver?: string; readonly port: number };
}

/** `FindAddresses` that lasts one run, because it remembers delegations and aliases. */
export function createFindAddresses({ resolvers, network = { port: 53 } }: AddressOptions): FindAddresses {
  const resolver = resolvers ?? network.resolver;
  const questionsUntil = createQuestions();
  const aliases = new Aliases(questionsUntil, resolver);
  const known = new WeakMap<AbortSignal, NameServers>();
  // One list for each zone: questions to the same list share their sockets.
  const lists = new WeakMap<readonly Server[], readonly string[]>();
  const inTurn = (servers: readonly Server[]): readonly string[] => {
    const list = lists.get(servers) ?? ipv4First(servers);
    lists.set(servers, list);
    return list;
  };
  return async (name, signal) => {
    try {
      const questions = questionsUntil(signal);
      const nameServers = known.get(signal) ?? new NameServers(questions, network.resolver, network.port);
      known.set(signal, nameServers);
      const place = endOf(await aliases.follow(name, signal));
      const servers = resolvers ?? inTurn(await nameServers.find(place));
      const found = await Promise.all(
        ([4, 6] as const).map((family) => questions.addresses(place, family, servers)),
      );
      return [...new Set(found.flat())];
    } catch (error) {
      // Ended by the signal, whatever it looks like.
      signal.throwIfAborted();
      throw error;
    }
  };
}

/** A machine may have no way to the others. */
function ipv4First(servers: readonly Server[]): readonly string[] {
  return servers.toSorted((one, other) => one.family - other.family).map(({ address }) => address);
}
