// Port to what functions note of their work as a whole. Each comment is part of the contract.
import type { Trouble } from '../state/health.ts';
import type { ByCluster } from '../state/state.ts';

/** The functions whose passes over everything are noted. */
export type PassName = 'issue' | 'deploy' | 'probe' | 'discover';

/** What the functions noted. */
export interface OperationRecord {
  /** End of the last pass over everything; absent if none has ended, or none since an upgrade. */
  readonly passes: Readonly<Partial<Record<PassName, Date>>>;
  /** Clusters that `deploy` could not reach, or that refuse it. Without a cause: it is the cluster. */
  readonly clusters: ByCluster<Trouble>;
}

/** Tags of the AWS secret `<prefix>/installation`, which `issue` makes. Every method may be called twice, and
 *  rejects with a StoreError. Without the AWS secret nothing is noted, and that is no error. */
export interface OperationStore {
  /** What is noted, up to date; empty if there is no AWS secret. */
  read(signal: AbortSignal): Promise<OperationRecord>;
  /** Notes the end of a pass over everything. That of `issue` is noted by `InstallationStore`. */
  recordEnd(pass: Exclude<PassName, 'issue'>, at: Date, signal: AbortSignal): Promise<void>;
  /** Notes the trouble of one cluster, its words cut to what one tag takes; `null`: it has none any more. */
  recordCluster(cluster: string, trouble: Trouble | null, signal: AbortSignal): Promise<void>;
}
