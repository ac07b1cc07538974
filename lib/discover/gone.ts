// Records of which discovered certificates no object asks any more, and which of those are to go.
import { mapConcurrently } from '../async/map-concurrently.ts';
import type { Inventory } from '../certificate/spec.ts';
import { nameNamespace } from '../inventory/source-rules.ts';
import { countGone, describeGone, isKeptByPerson, type PlaceSight } from '../policy/retirement/gone.ts';
import type { Clock } from '../ports/clock.ts';
import { errorOfPart } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { CertificateStore, StoreEntry } from '../ports/store.ts';
import type { GoneRecord } from '../state/retirement.ts';
import { isSameValue } from '../state/same.ts';

/** A certificate that no object asks for any more. */
export interface GoneCertificate {
  readonly name: string;
  /** The first pass that found nobody who asks. */
  readonly since: Date;
  /** One line: what becomes of it. */
  readonly message: string;
}

/** What one pass has seen. */
export interface SeenPlaces {
  /** Names of the certificates that objects ask for, also in vain. */
  readonly requested: ReadonlySet<string>;
  /** As `FoundObjects.unseen`. */
  readonly unseen: ReadonlySet<string>;
}

interface GonePorts {
  readonly store: Pick<CertificateStore, 'describe' | 'record'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

interface GoneInvocation {
  readonly inventory: Inventory;
  readonly dryRun?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** Tags written at once. */
const concurrency = 8;

/** Writes one tag of each discovered certificate of which more, or less, is known than before. One that
 *  cannot be written does not stop the others. A dry run writes nothing, and tells what would be.
 *  Certificates of the webhook, of imports and of the inventory file are not touched, but a record that one
 *  of the file still has is cleared.
 *  @param entries All that are stored. A list may lag: what would be written is looked at again before. */
export async function recordGone(
  entries: readonly StoreEntry[],
  seen: SeenPlaces,
  ports: GonePorts,
  invocation: GoneInvocation,
): Promise<{ readonly gone: readonly GoneCertificate[]; readonly failures: readonly Error[] }> {
  const { inventory, signal } = invocation;
  const retires = inventory.discovery?.retire ?? false;
  const known: KnownNames = {
    inFile: new Set(inventory.certificates.map(({ name }) => name)),
    places: new Set(inventory.discovery?.places.map(nameNamespace)),
  };
  const sightOf = (entry: StoreEntry) => findSight(entry, seen, known);
  const now = ports.clock.now();
  const next = ({ state }: StoreEntry, sight: PlaceSight): GoneRecord | undefined =>
    countGone(state.gone, sight, { now, retires, isKept: isKeptByPerson(state) });
  const results = await mapConcurrently(entries, concurrency, async (listed) => {
    const { name } = listed;
    let entry: StoreEntry | undefined = listed;
    let sight = sightOf(listed);
    if (!sight) return {};
    try {
      if (!isSameValue(listed.state.gone, next(listed, sight)) && !invocation.dryRun) {
        entry = await ports.store.describe(name, signal);
        sight = entry && sightOf(entry);
        if (!entry || !sight) return {};
        await write(entry, next(entry, sight), ports, signal);
      }
    } catch (cause) {
      signal.throwIfAborted();
      return { failure: errorOfPart(name, cause) };
    }
    const gone = next(entry, sight);
    if (!gone) return {};
    const { retire } = entry.state;
    const notCounted = sight === 'absent' ? '' : `; ${whyNotCounted[sight]}`;
    return {
      found: { name, since: gone.since, message: describeGone({ gone, retire }, retires) + notCounted },
    };
  });
  return {
    gone: results.flatMap(({ found }) => found ?? []),
    failures: results.flatMap(({ failure }) => failure ?? []),
  };
}

const whyNotCounted: Readonly<Record<Exclude<PlaceSight, 'absent'>, string>> = {
  asked: 'an object asks for it again',
  unseen: 'its place could not be listed whole, so this pass counts nothing',
  elsewhere: 'discovery.places does not list its place, so nobody counts any more',
};

/** Certificates and places of the inventory. */
interface KnownNames {
  readonly inFile: ReadonlySet<string>;
  readonly places: ReadonlySet<string>;
}

/** `undefined`: nothing is counted of this certificate. */
function findSight(
  { name, state }: StoreEntry,
  { requested, unseen }: SeenPlaces,
  { inFile, places }: KnownNames,
): PlaceSight | undefined {
  if (inFile.has(name)) return state.gone && 'asked';
  // A person has said that it is to go: nobody needs to count.
  if (state.source !== 'discovery' || state.retire?.kind === 'retire') return undefined;
  if (requested.has(name)) return state.gone && 'asked';
  const place = state.place && nameNamespace(state.place);
  if (place !== undefined && !places.has(place)) return state.gone && 'elsewhere';
  if (place === undefined || unseen.has(place)) return state.gone && 'unseen';
  return 'absent';
}

async function write(
  { name, state }: StoreEntry,
  gone: GoneRecord | undefined,
  { store, log }: GonePorts,
  signal: AbortSignal,
): Promise<void> {
  if (isSameValue(state.gone, gone)) return;
  await store.record(name, { gone: gone ?? null }, signal);
  if (!gone) log.info('certificate requested again', { certificate: name, since: state.gone?.since });
  else if (gone.kind === 'retire')
    log.info('retirement requested', { certificate: name, by: 'discovery', revoke: false });
}
