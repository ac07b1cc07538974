// Gathers what an order depends on in DNS: aliases, the hosted zone and its delegation, CAA.
import { challengeName, withoutWildcard } from '../certificate/names.ts';
import { mapConcurrently } from '../concurrency.ts';
import type { FindHostedZone, Preflight } from '../dns-ports.ts';
import { DnsError } from '../errors.ts';
import { Memory } from '../memory.ts';
import type { CaaRecord } from '../policy/caa.ts';
import { placeOfChallenge } from '../policy/delegation.ts';
import type { AliasChain, CaaFacts, NameFacts, Unanswered, ZoneFacts } from '../policy/preflight.ts';
import type { Aliases } from './aliases.ts';
import { isServfail, type QuestionsUntil, type ServerAddress } from './questions.ts';

/** What the facts come from. */
export interface PreflightSources {
  readonly questions: QuestionsUntil;
  readonly resolver: ServerAddress;
  readonly aliases: Aliases;
  readonly findZone: FindHostedZone;
  readonly delegationZone?: string | undefined;
}

const namesAtOnce = 20;

/** `Preflight` that asks DNS and Route 53; names that share a zone or a parent ask once. */
export function createPreflight(sources: PreflightSources): Preflight {
  const run = new PreflightRun(sources);
  return async (domains, signal) => {
    const names = await mapConcurrently(domains, namesAtOnce, (domain) => run.gather(domain, signal));
    signal.throwIfAborted();
    return { names, delegationZone: sources.delegationZone };
  };
}

class PreflightRun {
  readonly #sources: PreflightSources;
  readonly #names = new Memory<NameFacts>();
  readonly #delegations = new Memory<readonly string[]>();
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

  async #follow(domain: string, signal: AbortSignal): Promise<AliasChain | Unanswered> {
    try {
      return await this.#sources.aliases.follow(challengeName(domain), signal);
    } catch (error) {
      return unanswered(error);
    }
  }

  async #find(place: string, signal: AbortSignal): Promise<ZoneFacts> {
    try {
      const zone = await this.#sources.findZone(place, signal);
      return zone ? { kind: 'found', ...zone, live: await this.#live(zone, signal) } : { kind: 'none' };
    } catch (error) {
      const kind = error instanceof DnsError && error.code === 'NoZone' ? 'unclear' : 'unknown';
      return { kind, problem: messageOf(error) };
    }
  }

  async #live(
    zone: { readonly name: string; readonly delegationSet: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly string[] | Unanswered> {
    try {
      return await this.#delegations.recall(zone.name, () => this.#askDelegation(zone, signal));
    } catch (error) {
      return unanswered(error);
    }
  }

  /** Name servers under names of the owner's own have the addresses of AWS's (Developer Guide, "white-label name servers"). */
  async #askDelegation(
    { name, delegationSet }: { readonly name: string; readonly delegationSet: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const { questions, resolver } = this.#sources;
    const live = await questions(signal).nameServers(name, resolver);
    if (live.every((server) => delegationSet.includes(server))) return live;
    const addressesOf = (host: string) =>
      questions(signal)
        .addresses(host, 4, resolver)
        .catch(() => []);
    const owners = new Map<string, string>();
    for (const server of delegationSet) {
      for (const address of await addressesOf(server)) owners.set(address, server);
    }
    const same = live.map(async (server) => {
      const known = (await addressesOf(server)).map((address) => owners.get(address));
      return known[0] !== undefined && !known.includes(undefined) ? known[0] : server;
    });
    return Promise.all(same);
  }

  async #climb(domain: string, signal: AbortSignal): Promise<CaaFacts> {
    const { questions, resolver } = this.#sources;
    try {
      for (let at = withoutWildcard(domain); ; ) {
        const asked = at;
        const records = await this.#caa.recall(asked, () =>
          questions(signal).authorizations(asked, resolver),
        );
        if (records.length > 0) return { kind: 'found', at, records };
        const dot = at.indexOf('.');
        if (dot === -1) return { kind: 'none' };
        at = at.slice(dot + 1);
      }
    } catch (error) {
      return unanswered(error);
    }
  }
}

function unanswered(error: unknown): Unanswered {
  return { kind: 'unanswered', problem: messageOf(error), isServfail: isServfail(error) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
