// Connects one run to Route 53.
import type { ChallengeRecords, FindHostedZone, FindNameServers, ResolveAlias } from '../../ports/dns.ts';
import type { Log } from '../../ports/log.ts';
import { type AccountOptions, openAccounts } from './accounts.ts';
import { Route53Records } from './challenge-records.ts';
import { HostedZones } from './hosted-zones.ts';
import { RecordLocations } from './record-locations.ts';
import { hasSet, readCname } from './record-sets.ts';

/** What a connection to Route 53 needs. */
export interface Route53Options extends AccountOptions {
  readonly log: Log;
  /** A random number (at least 0, less than 1) that varies the pause after a conflict. */
  readonly random: () => number;
  /** Follows the CNAMEs of a challenge name. */
  readonly resolveAlias: ResolveAlias;
  /** Decides between several hosted zones of one name. */
  readonly findNameServers: FindNameServers;
  /** A zone of ours that CNAMEs may lead to; error messages name it. */
  readonly delegationZone?: string | undefined;
}

/** Route 53 as ordering uses it. */
export interface Route53Connection {
  readonly records: ChallengeRecords;
  readonly findZone: FindHostedZone;
}

/** A connection for one run. The first call opens it. The hosted zones of each account are listed once, and
 *  the requests of one account share one request rate. */
export function connectRoute53(options: Route53Options): Route53Connection {
  const { clock, log, random, resolveAlias, findNameServers, delegationZone } = options;
  const zones = new HostedZones(openAccounts(options), findNameServers, log);
  const locations = new RecordLocations(zones, resolveAlias, delegationZone);
  return {
    records: new Route53Records(locations, { clock, log, random }),
    async findZone(record, signal) {
      const found = await zones.find(record, signal);
      if (!found || found === 'no zones') return found;
      const { zone, unused } = found;
      return {
        id: zone.id,
        name: zone.name,
        unused: unused.map(({ id, name }) => ({ id, name })),
        delegationSet: (during) => zones.delegationSet(zone, during),
        aliasAt: (name, during) => readCname(zone, name, during),
        hasServersAt: (name, during) => hasSet(zone, { name, type: 'NS' }, during),
      };
    },
  };
}
