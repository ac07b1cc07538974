// Calls the Route 53 API: paces each call, reads its response, and translates its failure to a DnsError.
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import type { Clock } from '../../ports/clock.ts';
import { DnsError } from '../../ports/dns.ts';
import { type CallName, type Refusal, readRefusal, translateFailure } from './failure.ts';
import { RateLimiter } from './rate-limiter.ts';

/** A public hosted zone. */
export interface HostedZone {
  /** `Z…`, without `/hostedzone/`. */
  readonly id: string;
  /** Lower case, no trailing dot. */
  readonly name: string;
  /** Number of its record sets when it was listed. */
  readonly recordSets: number;
  /** Calls with the credentials of an IAM role that may change it. */
  readonly calls: Route53Calls;
}

/** Returns a client whose credentials are valid now. @throws DnsError. */
export type ReachRoute53 = (signal: AbortSignal) => Promise<Route53Client>;

/** The record set that a page starts with. */
export interface RecordSetPosition {
  readonly name: string;
  readonly type?: string | undefined;
  readonly identifier?: string | undefined;
}

/** One page of a zone's record sets. */
export interface RecordSetPage {
  /** Exactly as AWS answers them: a DELETE must repeat a set unchanged. */
  readonly sets: readonly ResourceRecordSet[];
  /** Start of the next page; absent on the last one. */
  readonly next?: RecordSetPosition;
}

/** The calls to Route 53 of one AWS account. Each rejects with a DnsError. */
export class Route53Calls {
  readonly #reach: ReachRoute53;
  readonly #rateLimiter: RateLimiter;
  readonly #holder: string;

  /** @param holder Whose IAM rights the calls use, for messages, e.g. `the role arn:…`. */
  constructor(reach: ReachRoute53, clock: Clock, holder: string) {
    this.#reach = reach;
    this.#rateLimiter = new RateLimiter(clock);
    this.#holder = holder;
  }

  /** All public hosted zones of the account; one call for each 100. */
  async listPublicZones(signal: AbortSignal): Promise<readonly HostedZone[]> {
    const zones: HostedZone[] = [];
    let marker: string | undefined;
    do {
      const command = new ListHostedZonesCommand({ Marker: marker });
      const page = await this.#call({ action: 'ListHostedZones' }, signal, (client, options) =>
        client.send(command, options),
      );
      for (const { Id, Name, Config, ResourceRecordSetCount = 0 } of page.HostedZones ?? []) {
        if (Config?.PrivateZone || Id === undefined || Name === undefined) continue;
        zones.push({
          id: lastPart(Id),
          name: plainName(Name),
          recordSets: ResourceRecordSetCount,
          calls: this,
        });
      }
      marker = page.IsTruncated ? page.NextMarker : undefined;
    } while (marker !== undefined);
    return zones;
  }

  /** The name servers that AWS assigned to a zone: lower case, no trailing dot. */
  async delegationSet(zone: HostedZone, signal: AbortSignal): Promise<readonly string[]> {
    const call = { action: 'GetHostedZone', resource: describeZone(zone) };
    const command = new GetHostedZoneCommand({ Id: zone.id });
    const { DelegationSet } = await this.#call(call, signal, (client, options) =>
      client.send(command, options),
    );
    return (DelegationSet?.NameServers ?? []).map(plainName);
  }

  /** One page of a zone's record sets, of at most `most` sets (AWS allows 300). `from`: where it starts;
   *  `undefined`: the zone's first set. */
  async listRecordSets(
    zone: HostedZone,
    from: RecordSetPosition | undefined,
    most: number,
    signal: AbortSignal,
  ): Promise<RecordSetPage> {
    const command = new ListResourceRecordSetsCommand({
      HostedZoneId: zone.id,
      StartRecordName: from?.name,
      StartRecordType: from?.type as ResourceRecordSet['Type'],
      StartRecordIdentifier: from?.identifier,
      MaxItems: most,
    });
    const call = { action: 'ListResourceRecordSets', resource: describeZone(zone) };
    const page = await this.#call(call, signal, (client, options) => client.send(command, options));
    const sets = page.ResourceRecordSets ?? [];
    if (!page.IsTruncated || page.NextRecordName === undefined) return { sets };
    const { NextRecordName: name, NextRecordType: type, NextRecordIdentifier: identifier } = page;
    return { sets, next: { name, type, identifier } };
  }

  /** Sends one atomic batch. Returns the change's id if AWS accepts it, or a `Refusal` if AWS refuses the
   *  batch itself. */
  async change(
    zone: HostedZone,
    changes: readonly Change[],
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'accepted'; readonly change: string } | Refusal> {
    const command = new ChangeResourceRecordSetsCommand({
      HostedZoneId: zone.id,
      ChangeBatch: { Comment: 'certrelay: DNS-01', Changes: [...changes] },
    });
    const call = { action: 'ChangeResourceRecordSets', resource: describeZone(zone) };
    try {
      const { ChangeInfo } = await this.#call(call, signal, (client, options) =>
        client.send(command, options),
      );
      if (ChangeInfo?.Id !== undefined) return { kind: 'accepted', change: lastPart(ChangeInfo.Id) };
    } catch (error) {
      const refusal = error instanceof DnsError ? readRefusal(error.cause) : undefined;
      if (refusal) return refusal;
      throw error;
    }
    throw new DnsError(
      'Failed',
      `AWS answered route53:ChangeResourceRecordSets on ${describeZone(zone)} without a change id`,
    );
  }

  /** Whether a change has reached all servers of Route 53. `change`: its id. */
  async isInsync(change: string, signal: AbortSignal): Promise<boolean> {
    const call = { action: 'GetChange', resource: `change ${change}` };
    const command = new GetChangeCommand({ Id: change });
    const { ChangeInfo } = await this.#call(call, signal, (client, options) => client.send(command, options));
    return ChangeInfo?.Status === 'INSYNC';
  }

  async #call<T>(
    name: Omit<CallName, 'holder'>,
    signal: AbortSignal,
    send: (client: Route53Client, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    try {
      await this.#rateLimiter.take(signal);
      return await send(await this.#reach(signal), { abortSignal: signal });
    } catch (error) {
      throw translateFailure(error, { ...name, holder: this.#holder }, signal);
    }
  }
}

/** `hosted zone example.com (Z…)`, for messages. */
function describeZone(zone: HostedZone): string {
  return `hosted zone ${zone.name} (${zone.id})`;
}

/** A record name in lower case, without trailing dot. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** `Z…` of `/hostedzone/Z…`. */
function lastPart(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}
