// Opens Route 53 for one run.
import { Route53Client, type Route53ClientConfig } from '@aws-sdk/client-route-53';
import type { ChallengeRecords, FindHostedZone, FindNameServers, ResolveAlias } from '../dns-ports.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports.ts';
import { Route53Calls } from './calls.ts';
import { Route53Records } from './challenge-records.ts';
import { HostedZones } from './hosted-zones.ts';
import { Places } from './places.ts';

export interface Route53Options {
  /** Beside what the environment says (region, credentials, endpoint). */
  readonly config?: Route53ClientConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** At least 0, less than 1: spreads writers that met in one zone. */
  readonly random: () => number;
  /** What DNS says: where CNAMEs lead, and which of two zones of one name is the one in use. */
  readonly resolveAlias: ResolveAlias;
  readonly findNameServers: FindNameServers;
  /** Zone of ours that CNAMEs of others should lead to; named in messages. */
  readonly delegationZone?: string | undefined;
}

export interface Route53Connection {
  readonly records: ChallengeRecords;
  readonly findZone: FindHostedZone;
}

// An answer that does not come is asked for again while the run still has time; the SDK itself would wait for ever.
const patience = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };
/** Throttling is Route 53's normal answer to a busy account; the SDK waits up to 20 s between attempts. */
const attempts = 6;

/** Opens no connection before the first call. What it gives lasts one run: the hosted zones are listed once, and its
 *  requests share one pace. */
export function connectRoute53(options: Route53Options): Route53Connection {
  const { config, clock, log, random, resolveAlias, findNameServers, delegationZone } = options;
  const client = new Route53Client({
    retryMode: 'standard',
    maxAttempts: attempts,
    requestHandler: patience,
    ...config,
  });
  const calls = new Route53Calls(client, clock);
  const zones = new HostedZones(calls, findNameServers);
  return {
    records: new Route53Records(new Places(zones, resolveAlias, delegationZone), {
      calls,
      clock,
      log,
      random,
    }),
    async findZone(record, signal) {
      const zone = await zones.find(record, signal);
      return zone && { id: zone.id, name: zone.name, delegationSet: await zones.delegationSet(zone, signal) };
    },
  };
}
