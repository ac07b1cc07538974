// Finds the zone that DNS answers a name from: names below a hosted zone may be delegated away.
import type { DecodedPacket } from 'dns-packet';
import { DnsError, type FindNameServers, type FoundZone } from '../../ports/dns.ts';
import { askPackets } from './packets.ts';
import { findPrivateView } from './public-view.ts';
import type { QueriesFor, ServerAddress } from './queries.ts';

/** Where a zone cut is searched. */
export interface CutSources {
  readonly queries: QueriesFor;
  readonly resolver: ServerAddress;
  /** Whether the operator chose the resolver. Another one may answer for a private network. */
  readonly isChosen: boolean;
  readonly findNameServers: FindNameServers;
}

/** A zone below another one. */
export interface ZoneCut {
  /** The zone's top. */
  readonly at: string;
  /** Its name servers. Empty if DNS does not answer them. */
  readonly servers: readonly string[];
}

/** The zone that a name is in, if that is below `zone`: then somebody else answers for the name.
 *  `undefined` if the name is in `zone` itself, or DNS does not answer. Takes one query, unless the
 *  resolver leaves the zone out of its answer. Before it says that there is one, it looks for the NS records
 *  in the hosted zone, because a resolver remembers removed ones for days. A zone
 *  that only a private network has is none.
 *  @param name A name below `zone`. */
export async function findCut(
  name: string,
  zone: FoundZone,
  sources: CutSources,
  signal: AbortSignal,
): Promise<ZoneCut | undefined> {
  const cut = await askCut(name, zone.name, sources, signal);
  if (!cut || !(await hasDelegation(cut.at, zone, signal))) return undefined;
  const { queries, resolver, isChosen } = sources;
  const view = isChosen ? undefined : await findPrivateView(cut.at, queries(signal), resolver);
  return view ? undefined : cut;
}

/** Whether a hosted zone has NS records at a name or between it and its top. Also true if AWS does not say:
 *  then DNS is believed. */
async function hasDelegation(name: string, zone: FoundZone, signal: AbortSignal): Promise<boolean> {
  try {
    for (const at of namesBetween(name, zone.name)) if (await zone.hasServersAt(at, signal)) return true;
    return false;
  } catch (error) {
    if (error instanceof DnsError) return true;
    throw error;
  }
}

async function askCut(
  name: string,
  zone: string,
  { resolver, findNameServers }: CutSources,
  signal: AbortSignal,
): Promise<ZoneCut | undefined> {
  try {
    const answer = await askPackets({ type: 'SOA', name }, resolver, signal);
    const top = topOf(name, answer);
    if (top !== undefined) {
      if (!top.endsWith(`.${zone}`)) return undefined;
      const referred = serversOf(top, answer);
      return { at: top, servers: referred.length > 0 ? referred : await findNameServers(top, signal) };
    }
    // An alias is no zone's top, but one above it may be.
    const isAlias = answer.answers.some(
      (record) => record.type === 'CNAME' && plainName(record.name) === name,
    );
    for (const at of namesBetween(name, zone)) {
      if (isAlias && at === name) continue;
      const servers = await findNameServers(at, signal);
      if (servers.length > 0) return { at, servers };
    }
    return undefined;
  } catch (error) {
    if (error instanceof DnsError) return undefined;
    throw error;
  }
}

/** The zone in an answer: the owner of its SOA record, or of the NS records of a referral. `undefined` if
 *  there is none, or the name is an alias, because then they are those of the target. */
function topOf(name: string, { answers, authorities }: DecodedPacket): string | undefined {
  if (answers.some(({ type }) => type === 'CNAME')) return undefined;
  const owners = [...answers, ...authorities].flatMap((record) =>
    record.type === 'SOA' || record.type === 'NS' ? plainName(record.name) : [],
  );
  return owners.find((owner) => owner === name || name.endsWith(`.${owner}`));
}

function serversOf(zone: string, { authorities }: DecodedPacket): readonly string[] {
  return authorities.flatMap(({ type, name, data }) =>
    type === 'NS' && plainName(name) === zone && typeof data === 'string' ? plainName(data) : [],
  );
}

/** The names from the one below `zone` down to `name`: a zone may begin at each. */
function namesBetween(name: string, zone: string): readonly string[] {
  const labels = name.slice(0, -zone.length - 1).split('.');
  return labels.map((_, index) => [...labels.slice(index), zone].join('.')).toReversed();
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
