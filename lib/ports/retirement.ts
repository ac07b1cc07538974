// Port to AWS secrets of certificates that are let go. Each comment is part of the contract.
import type { CertificateState } from '../state/state.ts';

/** A certificate whose AWS secret is scheduled for deletion. Its value cannot be read, and its name is not
 *  free before it is gone. */
export interface DeletedEntry {
  /** Name of the certificate. */
  readonly name: string;
  /** The end of the recovery window; at the latest, if AWS says only when the window began. AWS deletes the
   *  secret some time later. */
  readonly until: Date;
  readonly state: CertificateState;
}

/** Lets AWS secrets of certificates go, and brings them back. Every method rejects with a StoreError, or with
 *  the signal's reason. Every method may be called twice. */
export interface RetirementStore {
  /** All that are scheduled for deletion, by name. May be minutes behind the latest writes. */
  listDeleted(signal: AbortSignal): Promise<readonly DeletedEntry[]>;
  /** One of them, up to date; `undefined` if the certificate is not scheduled for deletion. */
  findDeleted(name: string, signal: AbortSignal): Promise<DeletedEntry | undefined>;
  /** Removes the replicas in other regions, and schedules the deletion. Returns the end of the recovery
   *  window, which is in 30 days. */
  scheduleDeletion(name: string, signal: AbortSignal): Promise<Date>;
  /** Cancels the deletion. Does nothing if none is scheduled. */
  restore(name: string, signal: AbortSignal): Promise<void>;
}
