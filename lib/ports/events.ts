// Port to the event bus that announces deliveries. Each comment is part of the contract.
import type { ServedWord } from '../state/delivery.ts';
import { CertrelayError } from './errors.ts';

/** `EventFailed`: EventBridge refused the event. */
export type EventErrorCode = 'EventFailed';

/** A failed call to EventBridge. */
export class EventError extends CertrelayError<EventErrorCode> {}

/** A version of a certificate that has been delivered to all its targets. */
export interface DeliveredCertificate {
  /** Name of the certificate. */
  readonly certificate: string;
  /** Id of the version. */
  readonly version: string;
  /** SHA-256 of the leaf's DER, in hex. */
  readonly fingerprint: string;
  /** End of the leaf's validity. */
  readonly notAfter: Date;
  /** The targets, named as in reports. */
  readonly targets: readonly string[];
  /** Result of the probe right after the delivery; absent if there was none. */
  readonly served?: ServedWord | undefined;
}

/** Publishes the event `Certificate Delivered`. A second call publishes a second event.
 *  @throws EventError `EventFailed`
 *  @throws the signal's reason once the signal is aborted. */
export type Announce = (delivered: DeliveredCertificate, signal: AbortSignal) => Promise<void>;
