// What one invocation of issuing works with: the request, the ports, and its time.

import type { Inventory } from '../certificate/spec.ts';
import type {
  AccountKeys,
  ConnectAuthority,
  DescribeAuthority,
  FindObstacle,
  KeyMaker,
} from '../ports/acme.ts';
import type { Clock } from '../ports/clock.ts';
import type { AwaitVisible, ChallengeRecords, Preflight } from '../ports/dns.ts';
import type { PutEvents } from '../ports/events.ts';
import type { InstallationStore } from '../ports/installation.ts';
import type { Log } from '../ports/log.ts';
import type { NoticeQueue } from '../ports/notices.ts';
import type { IssueQueue } from '../ports/queues.ts';
import type { RetirementStore } from '../ports/retirement.ts';
import type { CertificateStore } from '../ports/store.ts';

/** What `issue` is asked to do. */
export interface ReconcileRequest {
  /** Names of certificates. Each is described by itself, because listing lags behind registrations.
   *  Absent: all. */
  readonly certificates?: readonly string[] | undefined;
  /** Orders the named certificates although they are not due, or before their back-off ends. */
  readonly force?: boolean | undefined;
  /** Plans, and changes nothing. */
  readonly dryRun?: boolean | undefined;
  /** Compares the values of the named certificates with their tags: a pass over all certificates did not
   *  get to them. */
  readonly compare?: boolean | undefined;
  /** How many passes in a row before this one finished none of the certificates that they were sent for. */
  readonly fruitless?: number | undefined;
}

/** The ports that ordering needs. They are loaded once something is due. */
export interface OrderingPorts {
  readonly connect: ConnectAuthority;
  /** Asked by dry runs. Absent: nothing is known of the CAs before an order. */
  readonly findObstacle?: FindObstacle | undefined;
  readonly keys: KeyMaker;
  /** Absent: keys of accounts are not exchanged here. */
  readonly accountKeys?: AccountKeys | undefined;
  readonly records: ChallengeRecords;
  readonly awaitVisible: AwaitVisible;
  /** Says what persistent records name an issuer's account by. Registers no account. */
  readonly describe: DescribeAuthority;
  /** Checks DNS before an order. Absent if the inventory switches that off. */
  readonly preflight?: PreflightPorts | undefined;
}

/** Reads what DNS and the CA say before an order. */
export interface PreflightPorts {
  readonly gather: Preflight;
  readonly describe: DescribeAuthority;
}

/** The ports of the issuing story. */
export interface IssuePorts {
  readonly store: CertificateStore;
  /** Deletes what is let go. Absent: nothing is let go here, and nothing of it is ordered. */
  readonly retirements?: Pick<RetirementStore, 'scheduleDeletion'> | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** The record of the installation. Absent: a pass records nothing but the certificates' state. */
  readonly installation?: InstallationStore | undefined;
  /** Takes messages for unfinished certificates. Absent: they wait for the schedule. */
  readonly queue?: IssueQueue | undefined;
  /** PEM of the Ed25519 key that signs deliveries to agents; the first call makes one. Absent: nothing is
   *  signed. */
  readonly signingKey?: ((signal: AbortSignal) => Promise<string>) | undefined;
  /** Tells others what was issued. Absent: nobody is told. */
  readonly putEvents?: PutEvents | undefined;
  /** Hands over what was issued to `notify`. Absent: no channel wants to know. */
  readonly notices?: Pick<NoticeQueue, 'send'> | undefined;
  /** Called at most once an invocation, when the first certificate needs it. */
  readonly openOrdering: () => Promise<OrderingPorts>;
}

/** One invocation. */
export interface IssueInvocation {
  /** Names the invocation in claims and logs. */
  readonly id: string;
  readonly inventory: Inventory;
  /** Until when this invocation can be alive: claims carry it. */
  readonly deadline: Date;
  /** When `signal` ends the work, some time before the deadline. */
  readonly workUntil: Date;
  readonly signal: AbortSignal;
  /** Ends the clean-up shortly before the deadline. */
  readonly cleanUpSignal: AbortSignal;
  /** Milliseconds between two passes of the schedule. Absent if nobody knows. */
  readonly issueIntervalMs?: number | undefined;
}
