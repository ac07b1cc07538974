// Sends messages to the queue that the issue function reads.
import { SendMessageCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { CertrelayError } from '../errors.ts';
import type { IssueQueue } from '../ports.ts';

export interface IssueQueueOptions {
  /** Queue URL. */
  readonly url: string;
  /** Beside what the environment says (region, credentials, endpoint). */
  readonly config?: SQSClientConfig;
}

// An answer that does not come is asked for again while the run still has time; the SDK itself would wait for ever.
const patience = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** Opens no connection before the first message, and sends no message twice knowingly; after a lost answer there may be
 *  two. `send` throws CertrelayError `QueueFailed`, or the signal's reason. */
export function connectIssueQueue({ url, config }: IssueQueueOptions): IssueQueue & { close(): void } {
  const client = new SQSClient({ requestHandler: patience, ...config });
  return {
    async send(certificates, id, { delaySeconds, fruitless }, signal) {
      signal.throwIfAborted();
      const request = {
        QueueUrl: url,
        MessageBody: JSON.stringify({ certificates, ...(fruitless ? { fruitless } : {}) }),
        DelaySeconds: delaySeconds,
        // Beside the body, which is the same event that a person would send by hand.
        MessageAttributes: { request: { DataType: 'String', StringValue: id } },
      };
      try {
        await client.send(new SendMessageCommand(request), { abortSignal: signal });
      } catch (cause) {
        signal.throwIfAborted();
        throw translate(cause, url);
      }
    },
    close: () => client.destroy(),
  };
}

function translate(cause: unknown, url: string): CertrelayError {
  const name = cause instanceof Error ? cause.name : typeof cause;
  const message = /AccessDenied/.test(name)
    ? `AWS denied sqs:SendMessage on ${url}: the function's IAM role needs it`
    : `the message to ${url} was not sent (${name}); the certificates wait for the schedule`;
  return new CertrelayError('QueueFailed', message, { cause });
}
