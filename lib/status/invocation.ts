// The types of one call of `status`: its ports and its request.
import type { NoticeChannel } from '../certificate/notice-spec.ts';
import type { Inventory } from '../certificate/spec.ts';
import type { AgentRegistry } from '../ports/agents.ts';
import type { Clock } from '../ports/clock.ts';
import type { PutEvents } from '../ports/events.ts';
import type { InstallationStore } from '../ports/installation.ts';
import type { Log } from '../ports/log.ts';
import type { NotesStore } from '../ports/notes.ts';
import type { NoticeQueue } from '../ports/notices.ts';
import type { OperationStore } from '../ports/operations.ts';
import type { CertificateStore } from '../ports/store.ts';
import type { StatusRequest } from '../requests/status.ts';

/** The ports of the status story. */
export interface StatusPorts {
  readonly store: Pick<CertificateStore, 'list' | 'describe' | 'record'>;
  readonly agents: Pick<AgentRegistry, 'list'>;
  /** When this version first ran here, and which channels fail. */
  readonly installation: Pick<InstallationStore, 'read'>;
  /** What `status` itself remembers. */
  readonly notes: NotesStore;
  /** The public key that agents must trust; `undefined` if nothing has been signed yet. */
  readonly publicKey: (signal: AbortSignal) => Promise<string | undefined>;
  /** What the functions noted of their passes, and of clusters. */
  readonly operations: Pick<OperationStore, 'read'>;
  /** Puts events on the bus. Absent: there is no bus. */
  readonly putEvents?: PutEvents | undefined;
  /** Hands over what people are told. Absent: nobody is told. */
  readonly notices?: NoticeQueue | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** One call of `status`. */
export interface StatusInvocation extends StatusRequest {
  /** The prefix of the installation. */
  readonly installation: string;
  /** Of the invocation, for the log. */
  readonly id: string;
  readonly inventory: Inventory;
  /** The channels of notices. */
  readonly channels: readonly NoticeChannel[];
  /** How long another certificate may be served after a delivery, and an agent may be silent, in
   *  milliseconds. */
  readonly staleAfterMs: number;
  /** Time between two scheduled calls, in milliseconds; no entry for a function without a schedule. */
  readonly intervals: Readonly<Partial<Record<'issue' | 'deploy' | 'probe' | 'discover' | 'status', number>>>;
  /** Ends the work some time before the deadline. */
  readonly signal: AbortSignal;
  /** Ends the writing of notes, shortly before the deadline. */
  readonly cleanUpSignal: AbortSignal;
}
