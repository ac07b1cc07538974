// Whether a CA is told the same as we are: the resolver that a function is given may answer for a private network.

import type { CaaRecord } from '../../policy/dns/caa.ts';
import type { PrivateView } from '../../policy/dns/preflight.ts';
import { DnsError } from '../../ports/dns.ts';
import { type DnsNetwork, NameServers } from './name-servers.ts';
import { isPublicAddress } from './public-addresses.ts';
import type { DnsQuestions, ServerAddress } from './questions.ts';

/** The name servers that Route 53 writes into every private hosted zone; none of them knows it. */
const ofPrivateZones = /^ns-(0|512|1024|1536)\.awsdns-00\.(com|net|org|co\.uk)$/;

/** The closest zone of a name, where the servers that the resolver names for it cannot be those that everybody asks;
 *  `undefined` where they can. @throws DnsError `Lookup` where the resolver does not answer. */
export async function findPrivateView(
  name: string,
  questions: DnsQuestions,
  resolver: ServerAddress,
): Promise<PrivateView | undefined> {
  for (let zone = name; ; zone = zone.slice(zone.indexOf('.') + 1)) {
    const hosts = await questions.nameServers(zone, resolver);
    if (hosts.length > 0) {
      const problem = `DNS here answers ${hosts.join(', ')} for ${zone}`;
      const isPublic =
        !hosts.every(isOfPrivateZone) && (await haveOutsideAddress(hosts, questions, resolver));
      return isPublic ? undefined : { kind: 'private', problem };
    }
    if (!zone.includes('.')) return { kind: 'private', problem: `DNS here knows no zone that ${name} is in` };
  }
}

/** CAA from the zone's own servers, for a resolver that failed over them; `undefined` where none of those answers either. */
export async function askAuthorities(
  name: string,
  questions: DnsQuestions,
  network: DnsNetwork,
): Promise<readonly CaaRecord[] | undefined> {
  try {
    const servers = await new NameServers(questions, network).find(name);
    return await Promise.any(servers.map(({ address }) => questions.authorizations(name, address)));
  } catch (error) {
    if (error instanceof DnsError || error instanceof AggregateError) return undefined;
    throw error;
  }
}

function isOfPrivateZone(host: string): boolean {
  return ofPrivateZones.test(host);
}

async function haveOutsideAddress(
  hosts: readonly string[],
  questions: DnsQuestions,
  resolver: ServerAddress,
): Promise<boolean> {
  const found = await Promise.allSettled(hosts.map((host) => questions.addresses(host, 4, resolver)));
  const addresses = found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  return addresses.some(isPublicAddress);
}
