// Reads what an order depends on in DNS: CNAMEs, the hosted zone and its delegation, and CAA records.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { PromiseCache } from '../../async/promise-cache.ts';
import { challengeName, persistentName, withoutWildcard } from '../../certificate/names.ts';
import type { CaaRecord } from '../../policy/dns/caa.ts';
import { challengeRecordName } from '../../policy/dns/delegation.ts';
import type {
  AliasChain,
  CaaFacts,
  NameFacts,
  PrivateView,
  Unanswered,
  ZoneFacts,
} from '../../policy/dns/preflight-facts.ts';
import { DnsError, type FindHostedZone, type FindNameServers, type Preflight } from '../../ports/dns.ts';
import { describeError } from '../../ports/errors.ts';
import type { Aliases } from './aliases.ts';
import { Chains } from './chains.ts';
import type { DnsNetwork } from './name-servers.ts';
import { findOwnAlias } from './own-alias.ts';
import { findPrivateView, readCaaFromZone } from './public-view.ts';
import { isRefused, isServfail, type QueriesFor, type ServerAddress } from './queries.ts';
import { findCut } from './zone-cut.ts';

/** Where the facts are read. */
export interface PreflightSources {
  readonly queries: QueriesFor;
  /** Answers NS and CAA queries. */
  readonly resolver: ServerAddress;
  /** Whether the operator chose the resolver, so that its answers are those of the internet. The machine's
   *  own resolver may answer for a private network. */
  readonly isChosen: boolean;
  /** How the zone's own servers are reached. */
  readonly network: DnsNetwork;
  readonly aliases: Aliases;
  readonly findNameServers: FindNameServers;
  readonly findZone: FindHostedZone;
  /** The zone of ours that CNAMEs may lead to; part of the facts. */
  readonly delegationZone?: string | undefined;
}

/** Names whose facts are read at the same time. */
const namesAtOnce = 20;

/** `Preflight` over DNS and Route 53. What several names have in common, such as a zone, is read once. */
export function createPreflight(sources: PreflightSources): Preflight {
  const facts = new FactReader(sources);
  return async (domains, about, signal) => {
    const gather = (domain: string) =>
      about === 'caa' ? facts.gatherCaa(domain, signal) : facts.gather(domain, about, signal);
    const names = await mapConcurrently(domains, namesAtOnce, gather);
    signal.throwIfAborted();
    return { names, delegationZone: sources.delegationZone };
  };
}

/** Reads facts and remembers them for one run. */
class FactReader {
  readonly #sources: PreflightSources;
  readonly #names = new PromiseCache<NameFacts>();
  readonly #delegations = new PromiseCache<readonly string[] | PrivateView>();
  readonly #caa = new PromiseCache<readonly CaaRecord[]>();
  readonly #chains: Chains;

  constructor(sources: PreflightSources) {
    this.#sources = sources;
    this.#chains = new Chains(sources);
  }

  /** All facts of a name. `lasting`: those of its persistent record. */
  gather(domain: string, about: 'all' | 'lasting', signal: AbortSignal): Promise<NameFacts> {
    return this.#names.get(`${about} ${domain}`, async () => {
      const name = about === 'lasting' ? persistentName(domain) : challengeName(domain);
      const [aliases, caa] = await Promise.all([
        this.#followAliases(name, signal),
        this.#findCaa(domain, signal),
      ]);
      const end = (aliases.kind === 'ends' ? aliases.names.at(-1) : undefined) ?? name;
      const recordName = challengeRecordName(name, end);
      const zone = await this.#findZone(recordName, signal);
      const isStray = end !== name && (recordName === name || zone.kind === 'none');
      const isUnknown = aliases.kind === 'unanswered';
      const ownAlias =
        isStray || isUnknown
          ? await findOwnAlias(name, isUnknown, this.#sources.findZone, signal)
          : undefined;
      const brokenChains = await this.#chains.findBroken(domain, zone, signal);
      const facts = { domain, aliases, recordName, caa, zone };
      return {
        ...facts,
        ...(about === 'lasting' ? { challenge: name, texts: await this.#readTexts(name, zone, signal) } : {}),
        ...(ownAlias ? { ownAlias } : {}),
        ...(brokenChains.length > 0 ? { brokenChains } : {}),
      };
    });
  }

  /** The facts of a name that need no call to Route 53: CAA alone. */
  async gatherCaa(domain: string, signal: AbortSignal): Promise<NameFacts> {
    const unasked = { kind: 'unasked' } as const;
    const [caa, brokenChains] = await Promise.all([
      this.#findCaa(domain, signal),
      this.#chains.findBroken(domain, unasked, signal),
    ]);
    return { domain, aliases: unasked, recordName: challengeName(domain), zone: unasked, caa, brokenChains };
  }

  /** The values of a persistent record, if DNS may not lead to the hosted zone: it may be where DNS leads,
   *  too. */
  async #readTexts(name: string, zone: ZoneFacts, signal: AbortSignal): Promise<readonly string[]> {
    if (zone.kind === 'found' && !zone.cut && !('kind' in zone.live)) {
      const { delegationSet, live } = zone;
      if (live.length > 0 && live.every((server) => delegationSet.includes(server))) return [];
    }
    const { queries, resolver } = this.#sources;
    return queries(signal)
      .texts(name, resolver)
      .catch(() => []);
  }

  async #followAliases(name: string, signal: AbortSignal): Promise<AliasChain | Unanswered> {
    try {
      return await this.#sources.aliases.follow(name, signal);
    } catch (error) {
      return unanswered(error);
    }
  }

  async #findZone(recordName: string, signal: AbortSignal): Promise<ZoneFacts> {
    let zone: Awaited<ReturnType<FindHostedZone>>;
    try {
      zone = await this.#sources.findZone(recordName, signal);
    } catch (error) {
      const kind = error instanceof DnsError ? kindOf(error) : 'unknown';
      return { kind, problem: describeError(error) };
    }
    if (!zone) return { kind: 'none' };
    if (zone === 'no zones') return { kind: zone };
    const { id, name, unused } = zone;
    try {
      const delegationSet = await zone.delegationSet(signal);
      const live = await this.#findLive(name, delegationSet, signal);
      const isSeen = !('kind' in live) && live.length > 0;
      const cut = isSeen ? await findCut(recordName, zone, this.#sources, signal) : undefined;
      return {
        kind: 'found',
        id,
        name,
        delegationSet,
        live,
        ...(cut ? { cut } : {}),
        ...(unused.length > 0 ? { unused } : {}),
      };
    } catch (error) {
      return { kind: 'unknown', problem: describeError(error) };
    }
  }

  async #findLive(
    zone: string,
    delegationSet: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[] | Unanswered | PrivateView> {
    try {
      return await this.#delegations.get(zone, () => this.#readDelegation(zone, delegationSet, signal));
    } catch (error) {
      return unanswered(error);
    }
  }

  /** The zone's name servers in DNS. One whose addresses are all those of a server in the delegation set is
   *  given the name of that server: owners may give AWS's servers names of their own (Developer Guide,
   *  "white-label name servers"). */
  async #readDelegation(
    zone: string,
    delegationSet: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[] | PrivateView> {
    const { queries, resolver, isChosen, findNameServers } = this.#sources;
    const live = await findNameServers(zone, signal);
    if (live.length > 0 && live.every((server) => delegationSet.includes(server))) return live;
    const view = isChosen ? undefined : await findPrivateView(zone, queries(signal), resolver);
    if (view) return view;
    const addressesOf = (host: string) =>
      queries(signal)
        .addresses(host, 4, resolver)
        .catch(() => []);
    const serverAt = new Map<string, string>();
    const sets = delegationSet.map(async (server) => [server, await addressesOf(server)] as const);
    for (const [server, addresses] of await Promise.all(sets)) {
      for (const address of addresses) serverAt.set(address, server);
    }
    const renamed = live.map(async (server) => {
      const assigned = (await addressesOf(server)).map((address) => serverAt.get(address));
      return assigned[0] !== undefined && !assigned.includes(undefined) ? assigned[0] : server;
    });
    return Promise.all(renamed);
  }

  /** The CAA records of the name or of its closest parent that has some (RFC 8659 §3). */
  async #findCaa(domain: string, signal: AbortSignal): Promise<CaaFacts> {
    try {
      for (let at = withoutWildcard(domain); ; ) {
        const name = at;
        const records = await this.#caa.get(name, () => this.#readCaa(name, signal));
        if (records.length > 0) return { kind: 'found', at, records };
        const dot = at.indexOf('.');
        if (dot === -1) return { kind: 'none' };
        at = at.slice(dot + 1);
      }
    } catch (error) {
      return unanswered(error);
    }
  }

  /** The CAA records at a name. If the machine's resolver answers SERVFAIL, asks the zone's own servers,
   *  because some resolvers fail on CAA although the zone answers it. */
  async #readCaa(name: string, signal: AbortSignal): Promise<readonly CaaRecord[]> {
    const { queries, resolver, isChosen, network } = this.#sources;
    try {
      return await queries(signal).caaRecords(name, resolver);
    } catch (error) {
      if (isChosen || !isServfail(error)) throw error;
      const records = await readCaaFromZone(name, queries(signal), network);
      if (records) return records;
      throw error;
    }
  }
}

function kindOf({ code }: DnsError): 'unclear' | 'denied' | 'unknown' {
  if (code === 'NoZone') return 'unclear';
  return code === 'Denied' ? 'denied' : 'unknown';
}

function unanswered(error: unknown): Unanswered {
  // Without its cause, which says the same in the words of Node.
  const problem = error instanceof Error ? error.message : String(error);
  const answer = { problem, isServfail: isServfail(error) };
  return { kind: 'unanswered', ...answer, ...(isRefused(error) && { isRefused: true }) };
}
