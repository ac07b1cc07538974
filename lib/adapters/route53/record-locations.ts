// Where a challenge's TXT value is written: the record at the end of its CNAMEs, and the hosted zone that holds that.

import { describeNoZone, placeOfChallenge } from '../../policy/dns/delegation.ts';
import { DnsError, type ResolveAlias } from '../../ports/dns.ts';
import type { HostedZone } from './calls.ts';
import type { HostedZones } from './hosted-zones.ts';

export interface RecordLocation {
  readonly zone: HostedZone;
  /** Name of the record: the challenge's own where no CNAME delegates it. */
  readonly record: string;
}

/** Places by challenge name. What DNS and Route 53 answered once stays so for the run, so that values go from where they
 *  were put. */
export class RecordLocations {
  readonly #zones: HostedZones;
  readonly #resolveAlias: ResolveAlias;
  readonly #delegationZone: string | undefined;

  constructor(zones: HostedZones, resolveAlias: ResolveAlias, delegationZone: string | undefined) {
    this.#zones = zones;
    this.#resolveAlias = resolveAlias;
    this.#delegationZone = delegationZone;
  }

  /** @throws DnsError `NoZone`, with the record to create, where no zone of ours holds the place; whatever DNS and Route 53
   *  answer instead. */
  async find(name: string, signal: AbortSignal): Promise<RecordLocation> {
    const end = await this.#resolveAlias(name, signal);
    const record = placeOfChallenge(name, end);
    const zone = await this.#zones.find(record, signal);
    if (zone) return { zone, record };
    throw new DnsError('NoZone', describeNoZone(name, end, this.#delegationZone));
  }
}
