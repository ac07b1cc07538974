// Which hosted zone a record belongs in.
import { DnsError } from '../errors.ts';
import type { HostedZone, Route53Calls } from './calls.ts';

/** The public zones of the account, listed once, at the first question. */
export class HostedZones {
  readonly #calls: Route53Calls;
  #listed: Promise<readonly HostedZone[]> | undefined;

  constructor(calls: Route53Calls) {
    this.#calls = calls;
  }

  /** The zone with the longest name that the record's name ends in.
   *  @throws DnsError `NoZone` where no public zone is that; whatever listing them throws. */
  async find(name: string, signal: AbortSignal): Promise<HostedZone> {
    this.#listed ??= this.#calls.listPublicZones(signal);
    try {
      return longestMatch(name, await this.#listed);
    } catch (error) {
      // A list that failed is no list: the next question asks again.
      if (!(error instanceof DnsError && error.code === 'NoZone')) this.#listed = undefined;
      throw error;
    }
  }
}

function longestMatch(name: string, zones: readonly HostedZone[]): HostedZone {
  const candidates = zones.filter((zone) => name === zone.name || name.endsWith(`.${zone.name}`));
  const [zone] = candidates.toSorted((a, b) => b.name.length - a.name.length);
  if (zone) return zone;
  const [, ...parents] = name.split('.');
  throw new DnsError(
    'NoZone',
    `no public hosted zone of this AWS account holds ${name}: create one for ${parents.slice(-2).join('.')} in Route 53 and delegate to it, or take the name out of the inventory`,
  );
}
