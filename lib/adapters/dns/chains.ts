// Finds the zones above a name that DNSSEC makes useless, each once a run.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { PromiseCache } from '../../async/promise-cache.ts';
import { registeredDomain } from '../../certificate/name-parsing.ts';
import { withoutWildcard } from '../../certificate/names.ts';
import type { ChainFacts } from '../../policy/dns/dnssec.ts';
import type { ZoneFacts } from '../../policy/dns/preflight-facts.ts';
import { type ChainSources, findBrokenChain } from './dnssec.ts';

/** Zones of one name that are checked at once. */
const zonesAtOnce = 5;

/** The chains of trust that one run reads. */
export class Chains {
  readonly #sources: ChainSources;
  readonly #chains = new PromiseCache<ChainFacts | undefined>();

  constructor(sources: ChainSources) {
    this.#sources = sources;
  }

  /** The broken chains of the zones from the hosted zone up to its registered domain, and of the name's
   *  registered domain. If the challenge is delegated to a hosted zone that the name is not in, also of the
   *  zones from the name up: the CA finds the CNAME and CAA there. None where only a private network
   *  answers. */
  async findBroken(domain: string, zone: ZoneFacts, signal: AbortSignal): Promise<readonly ChainFacts[]> {
    const isFound = zone.kind === 'found';
    if (isFound && 'kind' in zone.live && zone.live.kind === 'private') return [];
    const own = withoutWildcard(domain);
    const names = new Set([registeredDomain(own), ...(isFound ? upToRegistered(zone.name) : [])]);
    if (isFound && !`.${own}`.endsWith(`.${zone.name}`))
      for (const name of upToRegistered(own)) names.add(name);
    const chains = await mapConcurrently([...names], zonesAtOnce, (name) =>
      this.#chains.get(name, () => findBrokenChain(name, this.#sources, signal)),
    );
    return chains.flatMap((chain) => chain ?? []);
  }
}

/** A name and those above it, up to its registered domain. */
function upToRegistered(name: string): readonly string[] {
  const top = registeredDomain(name);
  const names = [name];
  for (let at = name; at.endsWith(`.${top}`); names.push(at)) at = at.slice(at.indexOf('.') + 1);
  return names.filter((each) => each.includes('.'));
}
