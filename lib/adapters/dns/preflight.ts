// Gathers what an order depends on in DNS: aliases, the hosted zone and its delegation, CAA.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { Memory } from '../../async/memo.ts';
import { challengeName, withoutWildcard } from '../../certificate/names.ts';
import type { CaaRecord } from '../../policy/dns/caa.ts';
import { placeOfChallenge } from '../../policy/dns/delegation.ts';
import type {
  AliasChain,
  CaaFacts,
  NameFacts,
  PrivateView,
  Unanswered,
  ZoneFacts,
} from '../../policy/dns/preflight.ts';
import { DnsError, type FindHostedZone, type FoundZone, type Preflight } from '../../ports/dns.ts';
import { describeError } from '../../ports/errors.ts';
import type { Aliases } from './aliases.ts';
import type { DnsNetwork } from './name-servers.ts';
import { askAuthorities, findPrivateView } from './public-view.ts';
import { isServfail, type QuestionsUntil, type ServerAddress } from './questions.ts';

/** What the facts come from. */
export interface PreflightSources {
  readonly questions: QuestionsUntil;
  readonly resolver: ServerAddress;
  /** Whether the resolver was named by a person, and is to be believed; that of the machine may see a private network. */
  readonly isChosen: boolean;
  /** Where the zone's own servers are asked. */
  readonly network: DnsNetwork;
  readonly aliases: Aliases;
  readonly findZone: FindHostedZone;
  readonly delegationZone?: string | undefined;
}

const namesAtOnce = 20;

/** `Preflight` that asks DNS and Route 53; names that share a zone or a parent ask once. */
export function createPreflight(sources: PreflightSources): Preflight {
  const run = new PreflightRun(sources);
  return async (domains, about, signal) => {
    const gather = (domain: string) =>
      about === 'all' ? run.gather(domain, signal) : run.gatherCaa(domain, signal);
    const names = await mapConcurrently(domains, namesAtOnce, gather);
    signal.throwIfAborted();
    return { names, delegationZone: sources.delegationZone };
  };
}

class PreflightRun {
  readonly #sources: PreflightSources;
  readonly #names = new Memory<NameFacts>();
  readonly #delegations = new Memory<readonly string[] | PrivateView>();
  readonly #caa = new Memory<readonly CaaRecord[]>();

  constructor(sources: PreflightSources) {
    this.#sources = sources;
  }

  gather(domain: string, signal: AbortSignal): Promise<NameFacts> {
    return this.#names.recall(domain, async () => {
      const [aliases, caa] = await Promise.all([this.#follow(domain, signal), this.#climb(domain, signal)]);
      const name = challengeName(domain);
      const end = aliases.kind === 'ends' ? aliases.names.at(-1) : undefined;
      const place = placeOfChallenge(name, end ?? name);
      return { domain, aliases, place, caa, zone: await this.#find(place, signal) };
    });
  }

  async gatherCaa(domain: string, signal: AbortSignal): Promise<NameFacts> {
    const unasked = { kind: 'unasked' } as const;
    const caa = await this.#climb(domain, signal);
    return { domain, aliases: unasked, place: challengeName(domain), zone: unasked, caa };
  }

  async #follow(domain: string, signal: AbortSignal): Promise<AliasChain | Unanswered> {
    try {
      return await this.#sources.aliases.follow(challengeName(domain), signal);
    } catch (error) {
      return unanswered(error);
    }
  }

  async #find(place: string, signal: AbortSignal): Promise<ZoneFacts> {
    let zone: FoundZone | undefined;
    try {
      zone = await this.#sources.findZone(place, signal);
    } catch (error) {
      const kind = error instanceof DnsError ? kindOf(error) : 'unknown';
      return { kind, problem: describeError(error) };
    }
    if (!zone) return { kind: 'none' };
    const { id, name } = zone;
    try {
      const delegationSet = await zone.delegationSet(signal);
      return { kind: 'found', id, name, delegationSet, live: await this.#live(name, delegationSet, signal) };
    } catch (error) {
      return { kind: 'unknown', problem: describeError(error) };
    }
  }

  async #live(
    zone: string,
    delegationSet: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[] | Unanswered | PrivateView> {
    try {
      return await this.#delegations.recall(zone, () => this.#askDelegation(zone, delegationSet, signal));
    } catch (error) {
      return unanswered(error);
    }
  }

  /** Name servers under names of the owner's own have the addresses of AWS's (Developer Guide, "white-label name servers"). */
  async #askDelegation(
    zone: string,
    delegationSet: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[] | PrivateView> {
    const { questions, resolver, isChosen } = this.#sources;
    const live = await questions(signal).nameServers(zone, resolver);
    if (live.length > 0 && live.every((server) => delegationSet.includes(server))) return live;
    const view = isChosen ? undefined : await findPrivateView(zone, questions(signal), resolver);
    if (view) return view;
    const addressesOf = (host: string) =>
      questions(signal)
        .addresses(host, 4, resolver)
        .catch(() => []);
    const owners = new Map<string, string>();
    const sets = delegationSet.map(async (server) => [server, await addressesOf(server)] as const);
    for (const [server, addresses] of await Promise.all(sets)) {
      for (const address of addresses) owners.set(address, server);
    }
    const same = live.map(async (server) => {
      const known = (await addressesOf(server)).map((address) => owners.get(address));
      return known[0] !== undefined && !known.includes(undefined) ? known[0] : server;
    });
    return Promise.all(same);
  }

  async #climb(domain: string, signal: AbortSignal): Promise<CaaFacts> {
    try {
      for (let at = withoutWildcard(domain); ; ) {
        const asked = at;
        const records = await this.#caa.recall(asked, () => this.#askCaa(asked, signal));
        if (records.length > 0) return { kind: 'found', at, records };
        const dot = at.indexOf('.');
        if (dot === -1) return { kind: 'none' };
        at = at.slice(dot + 1);
      }
    } catch (error) {
      return unanswered(error);
    }
  }

  /** Some resolvers fail over CAA although the zone answers it: then the zone's own word counts. */
  async #askCaa(name: string, signal: AbortSignal): Promise<readonly CaaRecord[]> {
    const { questions, resolver, isChosen, network } = this.#sources;
    try {
      return await questions(signal).authorizations(name, resolver);
    } catch (error) {
      if (isChosen || !isServfail(error)) throw error;
      const answered = await askAuthorities(name, questions(signal), network);
      if (answered) return answered;
      throw error;
    }
  }
}

function kindOf({ code }: DnsError): 'unclear' | 'denied' | 'unknown' {
  if (code === 'NoZone') return 'unclear';
  return code === 'Denied' ? 'denied' : 'unknown';
}

function unanswered(error: unknown): Unanswered {
  // Its cause says the same in the words of Node.
  const problem = error instanceof Error ? error.message : String(error);
  return { kind: 'unanswered', problem, isServfail: isServfail(error) };
}
