// Every address of a name, from the servers that have authority for it: what a resolver remembers may be of yesterday.
import { DnsError } from '../../ports/dns.ts';
import type { FindAddresses } from '../../ports/probe.ts';
import { Aliases, endOf } from './aliases.ts';
import { type DnsNetwork, NameServers, type Server } from './name-servers.ts';
import { createQuestions } from './questions.ts';

export interface AddressOptions {
  /** `address[:port]`: asked instead of the zones' own servers. */
  readonly resolvers?: readonly string[] | undefined;
  /** Where DNS is asked; absent: as a machine on the internet asks. */
  readonly network?: DnsNetwork;
}

/** How long DNS may take over one name, its aliases and its zone included, in milliseconds. */
const nameMs = 30_000;

/** `FindAddresses` that lasts one run, because it remembers delegations and aliases. */
export function createFindAddresses({ resolvers, network = {} }: AddressOptions): FindAddresses {
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
    const find = async (): Promise<readonly string[]> => {
      const questions = questionsUntil(signal);
      const nameServers = known.get(signal) ?? new NameServers(questions, network);
      known.set(signal, nameServers);
      const place = endOf(await aliases.follow(name, signal));
      const servers = resolvers ?? inTurn(await nameServers.find(place));
      const found = await Promise.all(
        ([4, 6] as const).map((family) => questions.addresses(place, family, servers)),
      );
      return [...new Set(found.flat())];
    };
    const late = Promise.withResolvers<never>();
    const message = `DNS did not answer for ${name} within ${nameMs / 1000} s`;
    const timer = setTimeout(() => late.reject(new DnsError('Lookup', message)), nameMs);
    try {
      return await Promise.race([find(), late.promise]);
    } catch (error) {
      // Ended by the signal, whatever it looks like.
      signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}

/** A machine may have no way to the others. */
function ipv4First(servers: readonly Server[]): readonly string[] {
  return servers.toSorted((one, other) => one.family - other.family).map(({ address }) => address);
}
