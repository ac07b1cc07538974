// Why a story cannot do what a call asks of one certificate or target.
import { CertrelayError } from '../ports/errors.ts';

/** `Unknown`: nobody knows the name. `NotStored`: no certificate is stored. `NoPrevious`: there is no version
 *  before the current one. `Unreadable`: the AWS secret holds something else. `Unusable`: no server could
 *  use the stored certificate. `Deadline`: time ran out. `OrderOpen`: an order is under
 *  way that the change would fail. `NotAcknowledged`: there is no trouble that a person may acknowledge.
 *  `NotAllowed`, `NameTaken`, `PreflightFailed`: no order could succeed (a
 *  dry run says so). */
export type RequestErrorCode =
  | 'Unknown'
  | 'NotStored'
  | 'NoPrevious'
  | 'Unreadable'
  | 'Unusable'
  | 'Deadline'
  | 'OrderOpen'
  | 'NotAcknowledged'
  | 'NotAllowed'
  | 'NameTaken'
  | 'PreflightFailed';

/** What is in the way of a request. */
export class RequestError extends CertrelayError<RequestErrorCode> {}
