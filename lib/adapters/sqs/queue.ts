// Sends messages to one SQS queue.
import { SendMessageCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { QueueError } from '../../ports/queues.ts';
import { type AwsFailure, callAws } from '../aws/failure.ts';
import { awsTimeouts } from '../aws/timeouts.ts';

/** Which queue, and how it is reached. */
export interface QueueOptions {
  /** URL of the queue. */
  readonly url: string;
  /** Overrides what the SDK reads from the environment (region, credentials, endpoint). */
  readonly config?: SQSClientConfig;
}

/** One queue to send messages to. */
export interface Queue {
  /** Sends one message. `body` is the event of the function that the queue starts. `id` goes into the
   *  attribute `request`, for logs. `delaySeconds`: at most 900. After a lost answer the queue may have the
   *  message twice.
   *  @throws QueueError `QueueFailed`
   *  @throws the signal's reason once the signal is aborted. */
  send(
    body: object,
    id: string,
    options: { readonly delaySeconds?: number | undefined },
    signal: AbortSignal,
  ): Promise<void>;
  /** Closes idle connections. */
  close(): void;
}

/** A queue. The first message opens a connection. */
export function openQueue({ url, config }: QueueOptions): Queue {
  const client = new SQSClient({ requestHandler: awsTimeouts, ...config });
  return {
    async send(body, id, { delaySeconds }, signal) {
      const request = {
        QueueUrl: url,
        MessageBody: JSON.stringify(body),
        DelaySeconds: delaySeconds,
        MessageAttributes: { request: { DataType: 'String', StringValue: id } },
      };
      await callAws(
        signal,
        (options) => client.send(new SendMessageCommand(request), options),
        (failure) => translate(failure, url),
      );
    },
    close: () => client.destroy(),
  };
}

function translate({ kind, name, cause }: AwsFailure, url: string): QueueError {
  const message =
    kind === 'denied'
      ? `AWS denied sqs:SendMessage on ${url}: the function's IAM role needs it`
      : `the message to ${url} was not sent (${name}); the next scheduled run does its work`;
  return new QueueError('QueueFailed', message, { cause });
}
