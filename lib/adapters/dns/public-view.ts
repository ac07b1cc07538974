// Finds out whether our resolver answers for a private network, so that a CA may get other answers.
import type { CaaRecord } from '../../policy/dns/caa.ts';
import type { PrivateView } from '../../policy/dns/preflight-facts.ts';
import { DnsError } from '../../ports/dns.ts';
import { type DnsNetwork, NameServers } from './name-servers.ts';
import { isPublicAddress } from './public-addresses.ts';
import type { DnsQueries, ServerAddress } from './queries.ts';

/** The name servers in every private hosted zone of Route 53. None of them answers for the zone. */
const privateZoneServers = /^ns-(0|512|1024|1536)\.awsdns-00\.(com|net|org|co\.uk)$/;

/** The reason why the resolver's view of a name must be a private one: its closest zone has name servers that
 *  the internet cannot reach. `undefined` if the view can be that of the internet.
 *  @throws DnsError `Lookup` if the resolver does not answer. */
export async function findPrivateView(
  name: string,
  queries: DnsQueries,
  resolver: ServerAddress,
): Promise<PrivateView | undefined> {
  for (let zone = name; ; zone = zone.slice(zone.indexOf('.') + 1)) {
    const hosts = await queries.nameServers(zone, resolver);
    if (hosts.length > 0) {
      const problem = `DNS here answers ${hosts.join(', ')} for ${zone}`;
      const isPublic =
        !hosts.every(isPrivateZoneServer) && (await havePublicAddress(hosts, queries, resolver));
      return isPublic ? undefined : { kind: 'private', problem };
    }
    if (!zone.includes('.')) return { kind: 'private', problem: `DNS here knows no zone that ${name} is in` };
  }
}

/** The CAA records at a name, asked from its zone's own servers. `undefined` if none of them answers. */
export async function readCaaFromZone(
  name: string,
  queries: DnsQueries,
  network: DnsNetwork,
): Promise<readonly CaaRecord[] | undefined> {
  try {
    const servers = await new NameServers(queries, network).find(name);
    return await Promise.any(servers.map(({ address }) => queries.caaRecords(name, address)));
  } catch (error) {
    if (error instanceof DnsError || error instanceof AggregateError) return undefined;
    throw error;
  }
}

function isPrivateZoneServer(host: string): boolean {
  return privateZoneServers.test(host);
}

async function havePublicAddress(
  hosts: readonly string[],
  queries: DnsQueries,
  resolver: ServerAddress,
): Promise<boolean> {
  const results = await Promise.allSettled(hosts.map((host) => queries.addresses(host, 4, resolver)));
  const addresses = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  return addresses.some(isPublicAddress);
}
