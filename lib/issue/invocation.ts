// What one run of issuing works with: its ports, its time, and the answers it gives.

import type { Inventory } from '../certificate/spec.ts';
import type { ConnectAuthority, DescribeAuthority, KeyMaker } from '../ports/acme.ts';
import type { Clock } from '../ports/clock.ts';
import type { AwaitVisible, ChallengeRecords, Preflight } from '../ports/dns.ts';
import type { InstallationStore } from '../ports/installation.ts';
import type { Log } from '../ports/log.ts';
import type { IssueQueue } from '../ports/queues.ts';
import type { CertificateStore } from '../ports/store.ts';

/** Needed only once something is due, and loaded only then. */
export interface OrderingPorts {
  readonly connect: ConnectAuthority;
  readonly keys: KeyMaker;
  readonly records: ChallengeRecords;
  readonly awaitVisible: AwaitVisible;
  /** Looks at DNS before an order; absent where the inventory wants none of it. */
  readonly preflight?: PreflightPorts | undefined;
}

/** What is looked at before an order. */
export interface PreflightPorts {
  readonly gather: Preflight;
  readonly describe: DescribeAuthority;
}

/** What a pass stands on. */
export interface IssuePorts {
  readonly store: CertificateStore;
  readonly clock: Clock;
  readonly log: Log;
  /** What belongs to no certificate; absent: passes leave no trace but in certificates. */
  readonly installation?: InstallationStore | undefined;
  /** By which what is left goes on; absent: the schedule comes round. */
  readonly queue?: IssueQueue | undefined;
  /** PEM of the Ed25519 key by which deliveries to agents are signed; made where there is none. Absent: nothing is signed. */
  readonly signingKey?: ((signal: AbortSignal) => Promise<string>) | undefined;
  /** Called at most once a run. */
  openOrdering(): Promise<OrderingPorts>;
}

/** One invocation. */
export interface IssueInvocation {
  /** Names the run in claims and logs. */
  readonly id: string;
  readonly inventory: Inventory;
  /** Until when this run can be alive: claims carry it. */
  readonly deadline: Date;
  /** When `signal` ends the work, some time before the deadline. */
  readonly workUntil: Date;
  readonly signal: AbortSignal;
  /** Ends the clean-up shortly before the deadline. */
  readonly cleanUpSignal: AbortSignal;
  /** Between two passes of the schedule, in milliseconds; absent where nobody knows. */
  readonly issueIntervalMs?: number | undefined;
}
