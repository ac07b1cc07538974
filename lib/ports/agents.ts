// The sockets of agents: each interface is a contract, each comment part of it.
import { CertrelayError } from './errors.ts';

/** What an agent is told is not signed, is signed for another version or other targets, or not by a key it
 *  trusts for its cluster. `Unseen`: it is told of a failure that it has not seen. */
export type AgentErrorCode = 'Unsigned' | 'OtherVersion' | 'BadSignature' | 'OtherTargets' | 'Unseen';

/** Why an agent does not deliver what its AWS secret holds. */
export class AgentError extends CertrelayError<AgentErrorCode> {}

/** What is known of one cluster's agent, beside what it reports of each certificate. */
export interface AgentRecord {
  /** Key of `Inventory.clusters`. */
  readonly cluster: string;
  /** When it ended a pass last; absent: it never did. */
  readonly lastSeen?: Date | undefined;
  /** Of its image, as whoever built that called it. */
  readonly version?: string | undefined;
  /** What went wrong in that pass; absent: nothing. */
  readonly problem?: string | undefined;
  /** When a person told it that it is no longer wanted; absent: it is. */
  readonly deregistered?: Date | undefined;
}

/** The agents that have a place to report to. */
export interface AgentRegistry {
  /** Every one under the prefix, 100 a page; may lag behind writes by minutes. */
  list(signal: AbortSignal): Promise<readonly AgentRecord[]>;
  /** Writes down all of the record; what is absent is cleared. @throws StoreError `Failed` where the cluster
   *  has no place. */
  note(record: AgentRecord, signal: AbortSignal): Promise<void>;
}
