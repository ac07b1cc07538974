// Reads record sets at some names of a zone, with as few calls as possible.
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { type HostedZone, plainName, type RecordSetPosition } from './calls.ts';

/** Record sets in AWS's largest page. */
const pageSize = 300;
/** Record sets in a page for one name: more than one name usually has, and a small response. */
const setsPerName = 10;
const readsAtOnce = 10;

/** TXT record sets by name, exactly as AWS answered them. */
export type LiveSets = ReadonlyMap<string, readonly ResourceRecordSet[]>;

/** The TXT record sets at the names. A name without TXT records is absent. Reads the whole zone if that takes
 *  fewer calls than one for each name.
 *  @throws DnsError. */
export async function readTxtSets(
  zone: HostedZone,
  names: readonly string[],
  signal: AbortSignal,
): Promise<LiveSets> {
  const pages = Math.max(1, Math.ceil(zone.recordSets / pageSize));
  const sets =
    names.length <= pages
      ? (await mapConcurrently(names, readsAtOnce, (name) => readName(zone, name, signal))).flat()
      : await readZone(zone, signal);
  const requested = new Set(names);
  const txtSets = sets.filter((set) => set.Type === 'TXT' && requested.has(nameOf(set)));
  return Map.groupBy(txtSets, nameOf);
}

/** The target of the CNAME record that a zone has at exactly this name, without trailing dot. `undefined`
 *  if it has none; a wildcard above the name is none. @throws DnsError. */
export async function readCname(
  zone: HostedZone,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { sets } = await zone.calls.listRecordSets(zone, { name, type: 'CNAME' }, 1, signal);
  const [set] = sets;
  if (!set || set.Type !== 'CNAME' || nameOf(set) !== name) return undefined;
  const target = set.AliasTarget?.DNSName ?? set.ResourceRecords?.[0]?.Value;
  return target === undefined ? undefined : plainName(target);
}

/** Whether a zone has a record set of this type at exactly this name. @throws DnsError. */
export async function hasSet(
  zone: HostedZone,
  { name, type }: { readonly name: string; readonly type: string },
  signal: AbortSignal,
): Promise<boolean> {
  const { sets } = await zone.calls.listRecordSets(zone, { name, type }, 1, signal);
  return sets.some((set) => set.Type === type && nameOf(set) === name);
}

async function readName(
  zone: HostedZone,
  name: string,
  signal: AbortSignal,
): Promise<readonly ResourceRecordSet[]> {
  const sets: ResourceRecordSet[] = [];
  let from: RecordSetPosition | undefined = { name, type: 'TXT' };
  while (from) {
    const page = await zone.calls.listRecordSets(zone, from, setsPerName, signal);
    const matching = page.sets.filter((set) => set.Type === 'TXT' && nameOf(set) === name);
    sets.push(...matching);
    // Sets are sorted by name, so only a page full of this name can be followed by more of it.
    from = matching.length === page.sets.length ? page.next : undefined;
  }
  return sets;
}

async function readZone(zone: HostedZone, signal: AbortSignal): Promise<readonly ResourceRecordSet[]> {
  const sets: ResourceRecordSet[] = [];
  let from: RecordSetPosition | undefined;
  do {
    const page = await zone.calls.listRecordSets(zone, from, pageSize, signal);
    sets.push(...page.sets);
    from = page.next;
  } while (from);
  return sets;
}

function nameOf(set: ResourceRecordSet): string {
  return plainName(set.Name ?? '');
}
