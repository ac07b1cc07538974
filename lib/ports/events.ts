// The socket to the event bus, where others learn of deliveries; each comment is part of the contract.
import type { ServedWord } from '../state/delivery.ts';
import { CertrelayError } from './errors.ts';

/** `EventFailed`: EventBridge did not take the event. */
export type EventErrorCode = 'EventFailed';

/** What EventBridge did not do. */
export class EventError extends CertrelayError<EventErrorCode> {}

/** A certificate that is at all its targets now. `targets`: as reports name them. `served`: what was seen
 *  right then. */
export interface DeliveredCertificate {
  readonly certificate: string;
  readonly version: string;
  /** Of the leaf: SHA-256 of its DER, hex, and its end. */
  readonly fingerprint: string;
  readonly notAfter: Date;
  readonly targets: readonly string[];
  readonly served?: ServedWord | undefined;
}

/** Tells whoever wants to run something then. May be called twice: there are two events then.
 *  @throws EventError `EventFailed`, or the signal's reason. */
export type Announce = (delivered: DeliveredCertificate, signal: AbortSignal) => Promise<void>;
