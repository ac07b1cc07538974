// What one run of looking at what is served works with.
import type { Inventory } from '../certificate/spec.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { FindAddresses, IsPublicAddress, ShakeHands } from '../ports/probe.ts';
import type { CertificateStore } from '../ports/store.ts';
import type { ProbeRequest } from '../requests/requests.ts';

/** What a run stands on. */
export interface ProbePorts {
  readonly store: Pick<CertificateStore, 'list' | 'describe' | 'record'>;
  readonly findAddresses: FindAddresses;
  readonly isPublicAddress: IsPublicAddress;
  readonly shakeHands: ShakeHands;
  readonly clock: Clock;
  readonly log: Log;
}

/** One invocation: what is asked (`lib/requests/requests.ts`), and its time. */
export interface ProbeInvocation extends ProbeRequest {
  readonly inventory: Inventory;
  /** How long after its delivery another certificate may be served before that is an error, in milliseconds. */
  readonly staleAfterMs: number;
  /** Ends the work some time before the deadline. */
  readonly signal: AbortSignal;
  /** Ends shortly before the deadline: what has been seen is recorded even when `signal` is aborted. */
  readonly cleanUpSignal: AbortSignal;
}
