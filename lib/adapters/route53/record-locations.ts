// Finds where a challenge's TXT value is written: the record at the end of its CNAMEs, and its hosted zone.
import { challengeRecordName, describeNoZone } from '../../policy/dns/delegation.ts';
import { DnsError, type ResolveAlias } from '../../ports/dns.ts';
import type { HostedZone } from './calls.ts';
import type { HostedZones } from './hosted-zones.ts';

/** Where the TXT value of a challenge is written. */
export interface RecordLocation {
  readonly zone: HostedZone;
  /** Name of the record: the end of the challenge's CNAMEs, or the challenge's own name if none delegates
   *  it. */
  readonly record: string;
}

/** Finds record locations. Answers of DNS and Route 53 are kept for the run, so that a value is removed where
 *  it was added. */
export class RecordLocations {
  readonly #zones: HostedZones;
  readonly #resolveAlias: ResolveAlias;
  readonly #delegationZone: string | undefined;

  /** `delegationZone`: a zone of ours that CNAMEs may lead to; error messages name it. */
  constructor(zones: HostedZones, resolveAlias: ResolveAlias, delegationZone: string | undefined) {
    this.#zones = zones;
    this.#resolveAlias = resolveAlias;
    this.#delegationZone = delegationZone;
  }

  /** The location for a challenge name, e.g. `_acme-challenge.example.com`.
   *  @throws DnsError `NoZone` if no hosted zone of ours has the record; the message says what to create.
   *  Also what `ResolveAlias` and `HostedZones.find` throw. */
  async find(name: string, signal: AbortSignal): Promise<RecordLocation> {
    const end = await this.#resolveAlias(name, signal);
    const record = challengeRecordName(name, end);
    const found = await this.#zones.find(record, signal);
    if (found && found !== 'no zones') return { zone: found.zone, record };
    throw new DnsError('NoZone', describeNoZone(name, end, this.#delegationZone));
  }
}
