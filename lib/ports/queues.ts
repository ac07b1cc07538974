// Ports to the queues that start functions. Each comment is part of the contract.
import { CertrelayError } from './errors.ts';

/** `QueueFailed`: SQS refused the message. */
export type QueueErrorCode = 'QueueFailed';

/** A failed call to SQS. */
export class QueueError extends CertrelayError<QueueErrorCode> {}

/** The queue of the issue function. */
export interface IssueQueue {
  /** Asks `issue` to process these certificates. `id` identifies the request in the log, also after a repeat.
   *  `delaySeconds`: when at the earliest, at most 900. `fruitless`: how many runs in a row have finished
   *  none of their certificates. `compare`: whether to compare the stored values with their tags.
   *  @throws QueueError `QueueFailed`
   *  @throws the signal's reason once the signal is aborted. */
  send(
    certificates: readonly string[],
    id: string,
    options: { readonly delaySeconds?: number; readonly fruitless?: number; readonly compare?: boolean },
    signal: AbortSignal,
  ): Promise<void>;
}

/** The queue of the deploy function. */
export interface DeployQueue {
  /** Asks `deploy` to deliver to all targets of a cluster. `id` identifies the run that sent the message.
   *  @throws QueueError `QueueFailed`
   *  @throws the signal's reason once the signal is aborted. */
  send(cluster: string, id: string, signal: AbortSignal): Promise<void>;
}

/** The queue of a function, for a request that a person has just made. */
export interface RequestQueue {
  /** Asks the function to work on the request, which must be an event of it. `id` identifies the call in the
   *  log.
   *  @throws QueueError `QueueFailed`
   *  @throws the signal's reason once the signal is aborted. */
  send(request: object, id: string, signal: AbortSignal): Promise<void>;
}
