// Sends messages to one SQS queue.
import {
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
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
  /** Sends several messages, ten a call, as `send` does.
   *  @throws QueueError `QueueFailed`: some may have been sent
   *  @throws the signal's reason once the signal is aborted. */
  sendAll(messages: readonly QueueMessage[], id: string, signal: AbortSignal): Promise<void>;
  /** How many messages wait to be read, about: not those that are delayed, or being worked on.
   *  @throws QueueError `QueueFailed`
   *  @throws the signal's reason once the signal is aborted. */
  countWaiting(signal: AbortSignal): Promise<number>;
  /** Closes idle connections. */
  close(): void;
}

/** One of several messages. */
export interface QueueMessage {
  readonly body: object;
  /** At most 900. */
  readonly delaySeconds?: number | undefined;
}

/** Most messages of one call, and bytes of their bodies: queues made before SQS took 1 MiB take 256 KiB. */
const most = { messages: 10, bytes: 240_000 } as const;

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
    async sendAll(messages, id, signal) {
      const MessageAttributes = { request: { DataType: 'String', StringValue: id } };
      const entries = messages.map(({ body, delaySeconds }, index) => ({
        Id: String(index),
        MessageBody: JSON.stringify(body),
        DelaySeconds: delaySeconds,
        MessageAttributes,
      }));
      for (const Entries of splitEntries(entries)) {
        await callAws(
          signal,
          async (options) => {
            const command = new SendMessageBatchCommand({ QueueUrl: url, Entries });
            const { Failed = [] } = await client.send(command, options);
            // The call also succeeds if SQS refuses its entries.
            if (Failed[0]) throw Object.assign(new Error('refused'), { name: Failed[0].Code ?? 'refused' });
          },
          (failure) => translate(failure, url),
        );
      }
    },
    async countWaiting(signal) {
      const request = { QueueUrl: url, AttributeNames: [waiting] };
      const { Attributes } = await callAws(
        signal,
        (options) => client.send(new GetQueueAttributesCommand(request), options),
        (failure) => {
          const problem = `the queue ${url} could not be looked at (${failure.name})`;
          return new QueueError('QueueFailed', problem, { cause: failure.cause });
        },
      );
      return Number(Attributes?.[waiting] ?? 0);
    },
    close: () => client.destroy(),
  };
}

const waiting = 'ApproximateNumberOfMessages' as const;

/** Parts of a list that one call takes each. */
function splitEntries<T extends { readonly MessageBody: string }>(entries: readonly T[]): readonly T[][] {
  const parts: T[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = Buffer.byteLength(entry.MessageBody);
    const part = parts.at(-1);
    if (part && part.length < most.messages && bytes + size <= most.bytes) part.push(entry);
    else {
      parts.push([entry]);
      bytes = 0;
    }
    bytes += size;
  }
  return parts;
}

function translate({ kind, name, cause }: AwsFailure, url: string): QueueError {
  const message =
    kind === 'denied'
      ? `AWS denied sqs:SendMessage on ${url}: the function's IAM role needs it`
      : `the message to ${url} was not sent (${name}); the next scheduled run does its work`;
  return new QueueError('QueueFailed', message, { cause });
}
