// Judges how everything stands for those who show it: nothing is noted, and nobody is told.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import type { SubjectHealth } from '../policy/health/others.ts';
import { sortWorst } from '../policy/health/ranking.ts';
import { describeError } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';
import type { NotesStore, StatusNotes } from '../ports/notes.ts';
import type { StoreEntry } from '../ports/store.ts';
import { listOthers } from './changes.ts';
import { type FactPorts, type FactRequest, readFacts } from './facts.ts';
import { createJudge } from './judge.ts';

/** How everything stands. Texts may come from strangers. */
export interface InstallationLook {
  readonly at: Date;
  /** All of them, or those asked for: the worst first, then the soonest end, then by name. */
  readonly certificates: readonly CertificateHealth[];
  /** Clusters, issuers, agents, functions and channels. */
  readonly others: readonly SubjectHealth[];
  /** The tags of the certificates, by name; no entry for one without an AWS secret. */
  readonly entries: ReadonlyMap<string, StoreEntry>;
}

/** What `status` noted; nothing, with a line in the log, if it cannot be read: acknowledgements are then
 *  missing, and all else is there. @throws the signal's reason. */
export async function readNotes(
  { notes, log }: { readonly notes: Pick<NotesStore, 'read'>; readonly log: Log },
  signal: AbortSignal,
): Promise<StatusNotes | undefined> {
  try {
    return await notes.read(signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn('installation not read', { problem: describeError(error) });
    return undefined;
  }
}

/** Looks at everything, or at the named certificates. Names that nobody knows are left out.
 *  @throws StoreError if the store cannot be listed. */
export async function lookAtInstallation(ports: FactPorts, request: FactRequest): Promise<InstallationLook> {
  const { facts } = await readFacts(ports, request);
  const judged = createJudge(facts).everything();
  const certificates = sortWorst(judged.certificates);
  return { at: facts.now, certificates, others: listOthers(judged), entries: facts.entries };
}
