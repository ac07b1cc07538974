// Opens Route 53 for one run.
import type { ChallengeRecords, FindHostedZone, FindNameServers, ResolveAlias } from '../../ports/dns.ts';
import type { Log } from '../../ports/log.ts';
import { type AccountOptions, openAccounts } from './accounts.ts';
import { Route53Records } from './challenge-records.ts';
import { HostedZones } from './hosted-zones.ts';
import { RecordLocations } from './record-locations.ts';

export interface Route53Options extends AccountOptions {
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

/** Opens no connection before the first call. What it gives lasts one run: the hosted zones of an account are listed once,
 *  and its requests share one pace. */
export function connectRoute53(options: Route53Options): Route53Connection {
  const { clock, log, random, resolveAlias, findNameServers, delegationZone } = options;
  const zones = new HostedZones(openAccounts(options), findNameServers);
  const locations = new RecordLocations(zones, resolveAlias, delegationZone);
  return {
    records: new Route53Records(locations, { clock, log, random }),
    async findZone(record, signal) {
      const zone = await zones.find(record, signal);
      if (!zone) return undefined;
      const { id, name } = zone;
      return { id, name, delegationSet: (during) => zones.delegationSet(zone, during) };
    },
  };
}
