// What the probe story needs to run: its ports, the request, and its time.
import type { Inventory } from '../certificate/spec.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { FindAddresses, IsPublicAddress, ShakeHands } from '../ports/probe.ts';
import type { CertificateStore } from '../ports/store.ts';
import type { ProbeRequest } from '../requests/requests.ts';

/** The ports of the probe story. */
export interface ProbePorts {
  readonly store: Pick<CertificateStore, 'list' | 'describe' | 'record'>;
  readonly findAddresses: FindAddresses;
  readonly isPublicAddress: IsPublicAddress;
  readonly shakeHands: ShakeHands;
  readonly clock: Clock;
  readonly log: Log;
}

/** One call of `probe`: the request, the inventory, and the signals that end it. */
export interface ProbeInvocation extends ProbeRequest {
  readonly inventory: Inventory;
  /** How long after a delivery another certificate may be served before that is an error, in milliseconds. */
  readonly staleAfterMs: number;
  /** Aborts with some time left before the deadline: no new probe starts. */
  readonly signal: AbortSignal;
  /** Aborts shortly before the deadline. Results are recorded with it, so `signal` does not cut that off. */
  readonly cleanUpSignal: AbortSignal;
}
