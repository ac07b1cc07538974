// The TXT record sets that are live at some names of a zone, with as few calls as it takes.
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { type HostedZone, plainName, type RecordSetPosition } from './calls.ts';

/** AWS's largest page. */
const pageSize = 300;
/** More sets than anybody keeps at one name, fewer than are worth sending. */
const setsPerName = 10;
const readsAtOnce = 10;

export type LiveSets = ReadonlyMap<string, readonly ResourceRecordSet[]>;

/** TXT record sets by name, as AWS gave them; a name without any is absent. The zone is paged through where that is
 *  fewer calls than asking for each name. */
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
  const wanted = new Set(names);
  const ofTxt = sets.filter((set) => set.Type === 'TXT' && wanted.has(nameOf(set)));
  return Map.groupBy(ofTxt, nameOf);
}

async function readName(
  zone: HostedZone,
  name: string,
  signal: AbortSignal,
): Promise<readonly ResourceRecordSet[]> {
  const found: ResourceRecordSet[] = [];
  let from: RecordSetPosition | undefined = { name, type: 'TXT' };
  while (from) {
    const page = await zone.calls.listRecordSets(zone, from, setsPerName, signal);
    const own = page.sets.filter((set) => set.Type === 'TXT' && nameOf(set) === name);
    found.push(...own);
    // Only where the name fills the whole page can there be more of it on the next.
    from = own.length === page.sets.length ? page.next : undefined;
  }
  return found;
}

async function readZone(zone: HostedZone, signal: AbortSignal): Promise<readonly ResourceRecordSet[]> {
  const found: ResourceRecordSet[] = [];
  let from: RecordSetPosition | undefined;
  do {
    const page = await zone.calls.listRecordSets(zone, from, pageSize, signal);
    found.push(...page.sets);
    from = page.next;
  } while (from);
  return found;
}

function nameOf(set: ResourceRecordSet): string {
  return plainName(set.Name ?? '');
}
