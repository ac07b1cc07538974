// Reads both ends of a zone's chain of trust: DS records in its parent, DNSKEY records in the zone.
import type { DecodedPacket } from 'dns-packet';
import {
  type ChainFacts,
  type DnskeyRecord,
  type DsRecord,
  isChainBroken,
  readableDs,
} from '../../policy/dns/dnssec.ts';
import { DnsError } from '../../ports/dns.ts';
import { type DnsNetwork, NameServers } from './name-servers.ts';
import { askPackets, type PacketQuestion } from './packets.ts';
import type { QueriesFor, ServerAddress } from './queries.ts';

/** Where a chain is read. */
export interface ChainSources {
  readonly queries: QueriesFor;
  readonly resolver: ServerAddress;
  /** Whether the operator chose the resolver: then no other server is asked. */
  readonly isChosen: boolean;
  /** How the servers of zone and parent are reached. */
  readonly network: DnsNetwork;
}

/** Most records of one answer that are read. */
const mostRecords = 50;
/** Timeout of all questions about one zone. */
const zoneMs = 8_000;

/** The chain of a zone whose keys do not fit its DS records. `undefined` if they fit, the zone or one above
 *  it is not signed, or DNS does not answer. Asks the resolver: one question if the zone is not signed, two
 *  if the keys fit. Before it says that they do not, it asks the servers of the parent and of the zone,
 *  because a resolver remembers old records; a resolver that the operator chose is asked alone, and what it
 *  says stays unconfirmed. Ends after 8 seconds, or once the signal is aborted. */
export async function findBrokenChain(
  zone: string,
  sources: ChainSources,
  signal: AbortSignal,
): Promise<ChainFacts | undefined> {
  const during = AbortSignal.any([signal, AbortSignal.timeout(zoneMs)]);
  try {
    const first = await readChain(zone, sources, during);
    if (!isChainBroken(first)) return undefined;
    if (await isBelowInsecure(zone, sources, during)) return undefined;
    if (sources.isChosen) return { ...first, confirmed: false };
    const confirmed = await confirmChain(zone, sources, during);
    return confirmed && isChainBroken(confirmed) ? confirmed : undefined;
  } catch (error) {
    if (error instanceof DnsError) return undefined;
    throw error;
  }
}

/** Both ends as the resolver knows them. */
async function readChain(zone: string, sources: ChainSources, signal: AbortSignal): Promise<ChainFacts> {
  const ds = await findDs(zone, sources, signal);
  if (ds.length === 0) return { zone, ds, keys: [] };
  const keys = await askPackets({ type: 'DNSKEY', name: zone }, sources.resolver, signal).then(
    (packet) => readKeys(packet, zone),
    (error: unknown) => {
      if (signal.aborted || sources.isChosen) throw error;
      return [];
    },
  );
  return { zone, ds, keys };
}

/** The DS records as the resolver knows them. If its answer does not come from the parent zone, the parent's
 *  servers are asked: some resolvers do not know the type. */
async function findDs(
  zone: string,
  sources: ChainSources,
  signal: AbortSignal,
): Promise<readonly DsRecord[]> {
  const question = { type: 'DS', name: zone } as const;
  const answer = await askPackets(question, sources.resolver, signal).catch((error: unknown) => {
    if (signal.aborted || sources.isChosen) throw error;
    return undefined;
  });
  const isTrusted = answer !== undefined && (sources.isChosen || isOfParent(answer, zone));
  return isTrusted ? readDs(answer, zone) : askParent(zone, sources, signal);
}

/** Whether a zone above has no DS records that validators read: then all below it is insecure, whatever DS
 *  records it has (RFC 4035 §5.2). */
async function isBelowInsecure(zone: string, sources: ChainSources, signal: AbortSignal): Promise<boolean> {
  for (let at = parentOf(zone); at !== ''; at = parentOf(at)) {
    const hosts = await sources.queries(signal).nameServers(at, sources.resolver);
    const isZone = hosts.length > 0;
    if (isZone && readableDs(await findDs(at, sources, signal)).length === 0) return true;
  }
  return false;
}

/** Both ends as the servers of parent and zone know them; `undefined` if the name is not the top of a zone.
 *  Unconfirmed if the parent refers to other servers than those that the resolver knows: the zone may have
 *  moved to them, and its keys too. */
async function confirmChain(
  zone: string,
  sources: ChainSources,
  signal: AbortSignal,
): Promise<ChainFacts | undefined> {
  const hosts = await sources.queries(signal).nameServers(zone, sources.resolver);
  if (hosts.length === 0) return undefined;
  const question = { type: 'DNSKEY', name: zone } as const;
  const [ds, referral] = await Promise.all([
    askParent(zone, sources, signal),
    askServers(question, parentOf(zone), sources, signal),
  ]);
  const keys = readKeys(await askAuthority(question, zone, sources, signal), zone);
  const chain = { zone, ds, keys };
  // A server with authority for both, parent and zone, refers to nobody.
  const isSame = referral.flag_aa || isReferralTo(hosts, referral, zone);
  return isSame ? chain : { ...chain, confirmed: false };
}

function isReferralTo(hosts: readonly string[], { authorities }: DecodedPacket, zone: string): boolean {
  const referred = authorities.flatMap(({ type, name, data }) =>
    type === 'NS' && plainName(name) === zone && typeof data === 'string' ? plainName(data) : [],
  );
  const listOf = (names: readonly string[]) => [...new Set(names)].toSorted().join(' ');
  return listOf(referred) === listOf(hosts);
}

async function askParent(
  zone: string,
  sources: ChainSources,
  signal: AbortSignal,
): Promise<readonly DsRecord[]> {
  return readDs(await askAuthority({ type: 'DS', name: zone }, parentOf(zone), sources, signal), zone);
}

/** The zone or name above; empty for the root. */
function parentOf(zone: string): string {
  const dot = zone.indexOf('.');
  return dot === -1 ? '' : zone.slice(dot + 1);
}

/** The answer of a server of the zone that has authority for `name`.
 *  @throws DnsError `Lookup` also if the server answers without authority. */
async function askAuthority(
  question: PacketQuestion,
  name: string,
  sources: ChainSources,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  const answer = await askServers(question, name, sources, signal);
  if (answer.flag_aa) return answer;
  throw new DnsError('Lookup', `a server of ${name} has no authority for ${question.name}`);
}

/** The answer of a server of the zone that `name` is in. */
async function askServers(
  question: PacketQuestion,
  name: string,
  { queries, network }: ChainSources,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  const servers = await new NameServers(queries(signal), network).find(name);
  const addresses = servers.map(({ address }) => address);
  return askPackets(question, addresses, signal);
}

/** Whether an answer about DS has the records, or says by the SOA of a zone above that there are none. */
function isOfParent({ answers, authorities }: DecodedPacket, zone: string): boolean {
  if (answers.some(({ type }) => type === 'DS')) return true;
  const soa = authorities.find(({ type }) => type === 'SOA');
  return soa !== undefined && plainName(soa.name) !== zone;
}

function readDs({ answers }: DecodedPacket, zone: string): readonly DsRecord[] {
  return answers.slice(0, mostRecords).flatMap(({ type, name, data }) => {
    return type === 'DS' && plainName(name) === zone && isDs(data) ? [data] : [];
  });
}

function readKeys({ answers }: DecodedPacket, zone: string): readonly DnskeyRecord[] {
  return answers.slice(0, mostRecords).flatMap(({ type, name, data }) => {
    return type === 'DNSKEY' && plainName(name) === zone && isDnskey(data) ? [data] : [];
  });
}

function isDs(data: unknown): data is DsRecord {
  return typeof data === 'object' && data !== null && 'digest' in data && 'keyTag' in data;
}

function isDnskey(data: unknown): data is DnskeyRecord {
  return typeof data === 'object' && data !== null && 'key' in data && 'flags' in data;
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
