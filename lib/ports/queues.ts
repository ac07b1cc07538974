// The sockets to the queues that functions are called by; each comment is part of the contract.
import { CertrelayError } from './errors.ts';

/** `QueueFailed`: SQS did not take the message. */
export type QueueErrorCode = 'QueueFailed';

/** What SQS did not do. */
export class QueueError extends CertrelayError<QueueErrorCode> {}

/** Tells the issue function that certificates wait for it. */
export interface IssueQueue {
  /** `id` makes a repeat of the same request recognisable in the log. `delaySeconds`: at most 900.
   *  `fruitless`: passes in a row that finished nothing of what they were sent for. `compare`: their values
   *  are to be held against their tags. */
  send(
    certificates: readonly string[],
    id: string,
    options: { readonly delaySeconds?: number; readonly fruitless?: number; readonly compare?: boolean },
    signal: AbortSignal,
  ): Promise<void>;
}

/** Tells the deploy function to look at all targets of a cluster. `id` makes the pass that sent it
 *  recognisable in the log. */
export interface DeployQueue {
  send(cluster: string, id: string, signal: AbortSignal): Promise<void>;
}
