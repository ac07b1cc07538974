// Port to what `status` remembers of the installation as a whole. Each comment is part of the contract.
import type { SubjectNote } from '../state/health.ts';

/** What `status` remembers. It contains no secret. */
export interface StatusNotes {
  /** End of the first full run of `status`. */
  readonly began: Date;
  /** By subject, as `cluster/prod`; a certificate is here while it has no AWS secret. */
  readonly subjects: Readonly<Record<string, SubjectNote>>;
  /** When the last digest was handed over; absent: never. */
  readonly digestedAt?: Date | undefined;
  /** How often they were written since when, for a day, and when last; absent: not known. */
  readonly writes?: { readonly since: Date; readonly count: number; readonly last: Date } | undefined;
}

/** The value of the AWS secret `<prefix>/installation`, which `status` alone writes. Every method may be
 *  called twice, and rejects with a StoreError or with the signal's reason. */
export interface NotesStore {
  /** The notes; `undefined` if there are none that can be read. */
  read(signal: AbortSignal): Promise<StatusNotes | undefined>;
  /** Writes all notes; makes the AWS secret if it is not there. */
  write(notes: StatusNotes, signal: AbortSignal): Promise<void>;
}
