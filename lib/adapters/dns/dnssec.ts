// Reads both ends of a zone's chain of trust: DS records in its parent, DNSKEY records in the zone.
import type { DecodedPacket } from 'dns-packet';
import { type ChainFacts, type DnskeyRecord, type DsRecord, isChainBroken } from '../../policy/dns/dnssec.ts';
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

/** The chain of a zone whose keys do not fit its DS records. `undefined` if they fit, the zone is not signed,
 *  or DNS does not answer. Asks the resolver: one question if the zone is not signed, two if the keys fit.
 *  Before it says that they do not, it asks the servers of the parent and of the zone, because a resolver
 *  remembers old records; a resolver that the operator chose is asked alone, and what it says stays
 *  unconfirmed. Ends after 8 seconds, or once the signal is aborted. */
export async function findBrokenChain(
  zone: string,
  sources: ChainSources,
  signal: AbortSignal,
): Promise<ChainFacts | undefined> {
  const during = AbortSignal.any([signal, AbortSignal.timeout(zoneMs)]);
  try {
    const first = await readChain(zone, sources, during);
    if (!isChainBroken(first)) return undefined;
    if (sources.isChosen) return { ...first, confirmed: false };
    const confirmed = await confirmChain(zone, sources, during);
    return isChainBroken(confirmed) ? confirmed : undefined;
  } catch (error) {
    if (error instanceof DnsError) return undefined;
    throw error;
  }
}

/** Both ends as the resolver knows them. If its answer about DS does not come from the parent zone, the
 *  parent's servers are asked: some resolvers do not know the type. */
async function readChain(zone: string, sources: ChainSources, signal: AbortSignal): Promise<ChainFacts> {
  const question = { type: 'DS', name: zone } as const;
  const answer = await askPackets(question, sources.resolver, signal).catch((error: unknown) => {
    if (signal.aborted || sources.isChosen) throw error;
    return undefined;
  });
  const isTrusted = answer !== undefined && (sources.isChosen || isOfParent(answer, zone));
  const ds = isTrusted ? readDs(answer, zone) : await askParent(zone, sources, signal);
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

/** Both ends as the servers of parent and zone know them. */
async function confirmChain(zone: string, sources: ChainSources, signal: AbortSignal): Promise<ChainFacts> {
  const [ds, keys] = await Promise.all([
    askParent(zone, sources, signal),
    askAuthority({ type: 'DNSKEY', name: zone }, zone, sources, signal),
  ]);
  return { zone, ds, keys: readKeys(keys, zone) };
}

async function askParent(
  zone: string,
  sources: ChainSources,
  signal: AbortSignal,
): Promise<readonly DsRecord[]> {
  const parent = zone.slice(zone.indexOf('.') + 1);
  return readDs(await askAuthority({ type: 'DS', name: zone }, parent, sources, signal), zone);
}

/** The answer of a server of the zone that has authority for `name`.
 *  @throws DnsError `Lookup` also if the server answers without authority. */
async function askAuthority(
  question: PacketQuestion,
  name: string,
  { queries, network }: ChainSources,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  const servers = await new NameServers(queries(signal), network).find(name);
  const addresses = servers.map(({ address }) => address);
  const answer = await askPackets(question, addresses, signal);
  if (answer.flag_aa) return answer;
  throw new DnsError('Lookup', `a server of ${name} has no authority for ${question.name}`);
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
