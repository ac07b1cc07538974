// Ports of agents, which deliver certificates inside a cluster. Each comment is part of the contract.
import { CertrelayError } from './errors.ts';

/** Why an agent refuses to deliver.
 *  - `Unsigned`: the statement about the delivery is not signed.
 *  - `OtherVersion`, `OtherTargets`: it is signed for another version, or for other targets.
 *  - `BadSignature`: it is not signed by a key that the agent trusts for its cluster.
 *  - `Unseen`: it reports a failure that the agent has not seen itself. */
export type AgentErrorCode = 'Unsigned' | 'OtherVersion' | 'BadSignature' | 'OtherTargets' | 'Unseen';

/** The reason why an agent does not deliver the version in an AWS secret. */
export class AgentError extends CertrelayError<AgentErrorCode> {}

/** What one cluster's agent reports about itself. */
export interface AgentRecord {
  /** Key of `Inventory.clusters`. */
  readonly cluster: string;
  /** End of its last reconcile; absent if there was none. */
  readonly lastSeen?: Date | undefined;
  /** Version of its image, as given when the image was built. */
  readonly version?: string | undefined;
  /** What went wrong in its last reconcile; absent if nothing did. */
  readonly problem?: string | undefined;
  /** When a person deregistered the agent; absent if nobody did. */
  readonly deregistered?: Date | undefined;
}

/** The records of agents. */
export interface AgentRegistry {
  /** All records under the prefix; one call for each 100. May be minutes behind the latest writes. */
  list(signal: AbortSignal): Promise<readonly AgentRecord[]>;
  /** Writes a whole record: a field that is absent is cleared.
   *  @throws StoreError `Failed` if the cluster has no AWS secret for its record. */
  record(record: AgentRecord, signal: AbortSignal): Promise<void>;
}
