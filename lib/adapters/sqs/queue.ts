// One SQS queue to send to.
import { SendMessageCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { QueueError } from '../../ports/queues.ts';
import { type AwsFailure, callAws } from '../aws/failure.ts';
import { awsTimeouts } from '../aws/timeouts.ts';

export interface QueueOptions {
  /** Queue URL. */
  readonly url: string;
  /** Beside what the environment says (region, credentials, endpoint). */
  readonly config?: SQSClientConfig;
}

export interface Queue {
  /** `body` is the event that a person would send by hand; `id` stands beside it, for logs. */
  send(
    body: object,
    id: string,
    options: { readonly delaySeconds?: number | undefined },
    signal: AbortSignal,
  ): Promise<void>;
  close(): void;
}

/** Opens no connection before the first message, and sends no message twice knowingly; after a lost answer there may be
 *  two. `send` throws QueueError `QueueFailed`, or the signal's reason. */
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
      : `the message to ${url} was not sent (${name}); what it was about waits for the schedule`;
  return new QueueError('QueueFailed', message, { cause });
}
