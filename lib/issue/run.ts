// What one run of issuing works with: its ports, its time, and the answers it gives.
import type { Inventory } from '../certificate/spec.ts';
import type { Log } from '../log.ts';
import type {
  AwaitVisible,
  CertificateStore,
  ChallengeRecords,
  Clock,
  ConnectAuthority,
  KeyMaker,
} from '../ports.ts';

/** Needed only once something is due, and loaded only then. */
export interface OrderingPorts {
  readonly connect: ConnectAuthority;
  readonly keys: KeyMaker;
  readonly records: ChallengeRecords;
  readonly awaitVisible: AwaitVisible;
}

export interface IssuePorts {
  readonly store: CertificateStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Called at most once a run. */
  openOrdering(): Promise<OrderingPorts>;
}

/** One invocation. */
export interface Run {
  /** Names the run in claims and logs. */
  readonly id: string;
  readonly inventory: Inventory;
  /** Until when this run can be alive: claims carry it. */
  readonly deadline: Date;
  /** Ends the work some time before the deadline. */
  readonly signal: AbortSignal;
  /** Ends the clean-up shortly before the deadline. */
  readonly cleanUpSignal: AbortSignal;
}
