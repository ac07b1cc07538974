// Where jobs are delivered: one cluster, or one region of AWS Certificate Manager.
import type { JobResult } from './invocation.ts';

/** One destination, observed and planned for its jobs. */
export interface Destination {
  /** What would happen to each job, in their order: what a dry run reports. */
  readonly planned: readonly JobResult[];
  /** Carries the plan out. One result for each job, in their order. Never rejects: errors are in the
   *  results. */
  carryOut(): Promise<readonly JobResult[]>;
  /** Closes its connections. */
  close(): Promise<void>;
}

/** A destination where nothing is to be done: it could not be reached, or an agent delivers there. */
export function closedDestination(results: readonly JobResult[]): Destination {
  return { planned: results, carryOut: async () => results, close: async () => undefined };
}
