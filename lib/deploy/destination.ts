// Where jobs are delivered: one cluster, or one region of AWS Certificate Manager.
import type { JobResult } from './invocation.ts';

/** Is told what is about to happen to some of the jobs. */
export type PrintPlan = (planned: readonly JobResult[]) => void;

/** One destination of jobs. Nothing rejects: errors are in the results, one for each job in their order. */
export interface Destination {
  /** Observes and plans: what would happen to each job. Changes nothing. */
  plan(): Promise<readonly JobResult[]>;
  /** Observes, plans, prints and acts, portion by portion. */
  carryOut(print: PrintPlan): Promise<readonly JobResult[]>;
  /** Closes its connections. */
  close(): Promise<void>;
}

/** A destination where nothing is to be done: it could not be reached, or an agent delivers there. */
export function closedDestination(results: readonly JobResult[]): Destination {
  return { plan: async () => results, carryOut: async () => results, close: async () => undefined };
}
