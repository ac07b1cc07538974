// Where a challenge's TXT value is written: the record at the end of its CNAMEs, and the hosted zone that holds that.

import type { ResolveAlias } from '../dns-ports.ts';
import { DnsError } from '../errors.ts';
import { Memory } from '../memory.ts';
import { describeRemedy, placeOfChallenge } from '../policy/delegation.ts';
import type { HostedZone } from './calls.ts';
import type { HostedZones } from './hosted-zones.ts';

export interface Place {
  readonly zone: HostedZone;
  /** Name of the record: the challenge's own where no CNAME delegates it. */
  readonly record: string;
}

/** Places by challenge name. A place that was found stays the same, so that values go from where they were put. */
export class Places {
  readonly #zones: HostedZones;
  readonly #resolveAlias: ResolveAlias;
  readonly #delegationZone: string | undefined;
  readonly #found = new Memory<Place>();

  constructor(zones: HostedZones, resolveAlias: ResolveAlias, delegationZone: string | undefined) {
    this.#zones = zones;
    this.#resolveAlias = resolveAlias;
    this.#delegationZone = delegationZone;
  }

  /** @throws DnsError `NoZone`, with the record to create, where no zone of ours holds the place; whatever DNS and Route 53
   *  answer instead. */
  find(name: string, signal: AbortSignal): Promise<Place> {
    return this.#found.recall(name, async () => {
      const end = await this.#resolveAlias(name, signal);
      const record = placeOfChallenge(name, end);
      const zone = await this.#zones.find(record, signal);
      if (zone) return { zone, record };
      throw new DnsError('NoZone', this.#explain(name, end, record));
    });
  }

  #explain(name: string, end: string, record: string): string {
    const remedy = describeRemedy(name, this.#delegationZone);
    if (end === name) return `no public hosted zone of this AWS account holds ${name}: ${remedy}`;
    const alias = `${name} is an alias for ${end}`;
    return record === end
      ? `${alias}, which no public hosted zone of this AWS account holds: ${remedy}`
      : `${alias}, whose name does not begin with _acme-challenge. as all names that Certrelay writes do: ${remedy}`;
  }
}
