// Reads everything that health is judged by: tags, and what functions and `status` itself remember.
import { findTaggedMisfits, openGrace } from '../policy/registration/tagged-misfits.ts';
import { describeError } from '../ports/errors.ts';
import type { InstallationRecord } from '../ports/installation.ts';
import type { NotesStore } from '../ports/notes.ts';
import type { NoticeQueue } from '../ports/notices.ts';
import type { StoreEntry } from '../ports/store.ts';
import type { StatusInvocation, StatusPorts } from './invocation.ts';
import type { StatusFacts } from './judge.ts';

/** The ports that facts are read by. */
export interface FactPorts
  extends Pick<StatusPorts, 'agents' | 'installation' | 'operations' | 'clock' | 'log'> {
  readonly store: Pick<StatusPorts['store'], 'list' | 'describe'>;
  /** Absent: the caller may not read what `status` remembers, so that nothing is noted for it. */
  readonly notes?: Pick<NotesStore, 'read'> | undefined;
  /** Absent: nobody is told, or the caller may not look. */
  readonly notices?: Pick<NoticeQueue, 'countWaiting'> | undefined;
}

/** What facts are read about. */
export type FactRequest = Pick<
  StatusInvocation,
  'certificates' | 'inventory' | 'channels' | 'staleAfterMs' | 'intervals' | 'signal'
>;

/** The facts, and the names that were asked for and that nobody knows.
 *  @throws StoreError if the store cannot be listed. */
export async function readFacts(
  ports: FactPorts,
  invocation: FactRequest,
): Promise<{ readonly facts: StatusFacts; readonly unknown: readonly string[] }> {
  const { inventory, channels, staleAfterMs, intervals, signal } = invocation;
  const [entries, agents, installation, operations, waitingNotices, notes] = await Promise.all([
    findEntries(ports, invocation),
    ports.agents.list(signal),
    readInstallation(ports, signal),
    ports.operations.read(signal),
    invocation.certificates ? undefined : countNotices(ports, signal),
    // Without its notes `status` would tell everything once more, so it fails with them.
    ports.notes?.read(signal),
  ]);
  const now = ports.clock.now();
  const specs = new Set(inventory.certificates.map((spec) => spec.name));
  const asked = invocation.certificates;
  const isKnown = (name: string) => specs.has(name) || entries.has(name);
  const names = asked?.filter(isKnown) ?? [...new Set([...specs, ...entries.keys()])].toSorted();
  return {
    unknown: (asked ?? []).filter((name) => !isKnown(name)),
    facts: {
      now,
      inventory,
      channels,
      names,
      entries,
      misfits: openGrace(findTaggedMisfits(entries.values(), inventory), installation),
      agents,
      operations,
      waitingNotices,
      installation: installation === 'unknown' ? undefined : installation,
      notes: notes ?? { began: now, subjects: {} },
      isFirst: notes === undefined,
      intervals,
      staleAfterMs,
    },
  };
}

/** `unknown` if it cannot be read: a certificate that may have a time of grace is then not called refused. */
async function readInstallation(
  { installation, log }: FactPorts,
  signal: AbortSignal,
): Promise<InstallationRecord | 'unknown' | undefined> {
  try {
    return await installation.read(signal);
  } catch (error) {
    log.warn('installation not read', { problem: describeError(error) });
    return 'unknown';
  }
}

/** `undefined` if that is not known: what was noted of it counts then. */
async function countNotices({ notices, log }: FactPorts, signal: AbortSignal): Promise<number | undefined> {
  try {
    return await notices?.countWaiting(signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn('notices not counted', { problem: describeError(error) });
    return undefined;
  }
}

async function findEntries(
  { store }: FactPorts,
  { certificates, signal }: FactRequest,
): Promise<ReadonlyMap<string, StoreEntry>> {
  const found = certificates
    ? await Promise.all(certificates.map((name) => store.describe(name, signal)))
    : await store.list(signal);
  return new Map(found.flatMap((entry) => (entry ? [[entry.name, entry] as const] : [])));
}
