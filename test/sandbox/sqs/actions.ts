// The actions of the SQS API, each from its parsed input to its answer.
import * as z from 'zod';
import { md5, type Queue, type Received } from './queue.ts';

const largestMessageBytes = 1_048_576;
const allowed = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]+$/u;

/** Thrown by an action and answered with status 400. */
export class SqsRefusal extends Error {
  /** Name of the error in the API reference. */
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const attributes = z
  .record(z.string(), z.object({ DataType: z.literal('String'), StringValue: z.string().min(1) }))
  .default({});
const delay = z.number().int().min(0).max(900).default(0);
const message = z.object({ MessageBody: z.string(), MessageAttributes: attributes, DelaySeconds: delay });
const batch = z.object({ Entries: z.array(message.extend({ Id: z.string().regex(/^[\w-]{1,80}$/) })) });
const receive = z.object({
  MaxNumberOfMessages: z.number().int().min(1).max(10).default(1),
  VisibilityTimeout: z.number().int().min(0).max(43_200).optional(),
  WaitTimeSeconds: z.number().int().min(0).max(20).default(0),
});
const receipt = z.object({ ReceiptHandle: z.string().min(1) });
const visibility = receipt.extend({ VisibilityTimeout: z.number().int().min(0).max(43_200) });

/** Carries out one action on a queue. @throws SqsRefusal */
export type Action = (queue: Queue, input: unknown) => object | Promise<object>;

/** By the API's own names. */
export const queueActions: Readonly<Record<string, Action>> = {
  SendMessage(queue, input) {
    const sent = message.parse(input);
    checkSize(sizeOf(sent), 'InvalidParameterValue');
    return send(queue, sent);
  },

  SendMessageBatch(queue, input) {
    const { Entries } = batch.parse(input);
    if (Entries.length === 0) throw new SqsRefusal('EmptyBatchRequest', 'There is no entry.');
    if (Entries.length > 10) throw new SqsRefusal('TooManyEntriesInBatchRequest', 'More than 10 entries.');
    if (new Set(Entries.map(({ Id }) => Id)).size < Entries.length)
      throw new SqsRefusal('BatchEntryIdsNotDistinct', 'Two entries have the same Id.');
    checkSize(
      Entries.reduce((sum, entry) => sum + sizeOf(entry), 0),
      'BatchRequestTooLong',
    );
    const Successful: object[] = [];
    const Failed: object[] = [];
    for (const { Id, ...entry } of Entries) {
      try {
        Successful.push({ Id, ...send(queue, entry) });
      } catch (error) {
        if (!(error instanceof SqsRefusal)) throw error;
        Failed.push({ Id, SenderFault: true, Code: error.code, Message: error.message });
      }
    }
    return { Successful, Failed };
  },

  async ReceiveMessage(queue, input) {
    const { MaxNumberOfMessages, VisibilityTimeout, WaitTimeSeconds } = receive.parse(input);
    await queue.untilVisible(AbortSignal.timeout(WaitTimeSeconds * 1000));
    const hiddenMs = VisibilityTimeout === undefined ? undefined : VisibilityTimeout * 1000;
    const messages = queue.receive(MaxNumberOfMessages, hiddenMs);
    return messages.length === 0 ? {} : { Messages: messages.map(describeReceived) };
  },

  DeleteMessage(queue, input) {
    queue.delete(receipt.parse(input).ReceiptHandle);
    return {};
  },

  ChangeMessageVisibility(queue, input) {
    const { ReceiptHandle, VisibilityTimeout } = visibility.parse(input);
    if (!queue.changeVisibility(ReceiptHandle, VisibilityTimeout * 1000))
      throw new SqsRefusal('MessageNotInflight', 'The message is not in flight.');
    return {};
  },

  GetQueueAttributes(queue) {
    const { visible, hidden } = queue.count();
    const { redrive } = queue;
    return {
      Attributes: {
        QueueArn: queue.arn,
        ApproximateNumberOfMessages: String(visible),
        ApproximateNumberOfMessagesNotVisible: String(hidden),
        VisibilityTimeout: String(queue.visibilityTimeoutMs / 1000),
        MaximumMessageSize: String(largestMessageBytes),
        ...(redrive && {
          RedrivePolicy: JSON.stringify({
            deadLetterTargetArn: redrive.deadLetters.arn,
            maxReceiveCount: redrive.maxReceiveCount,
          }),
        }),
      },
    };
  },
};

function send(
  queue: Queue,
  { MessageBody, MessageAttributes, DelaySeconds }: z.output<typeof message>,
): object {
  if (MessageBody === '') throw new SqsRefusal('MissingParameter', 'The message has no body.');
  if (!allowed.test(MessageBody))
    throw new SqsRefusal('InvalidMessageContents', 'The body holds characters outside the allowed set.');
  const texts = Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]);
  const MessageId = queue.send(MessageBody, Object.fromEntries(texts), DelaySeconds * 1000);
  return { MessageId, MD5OfMessageBody: md5(MessageBody) };
}

/** Attributes count: their names, types and values. */
function sizeOf({ MessageBody, MessageAttributes }: z.output<typeof message>): number {
  const parts = Object.entries(MessageAttributes).flatMap(([name, { DataType, StringValue }]) => [
    name,
    DataType,
    StringValue,
  ]);
  return [MessageBody, ...parts].reduce((sum, part) => sum + Buffer.byteLength(part), 0);
}

function checkSize(bytes: number, code: string): void {
  if (bytes > largestMessageBytes)
    throw new SqsRefusal(code, `The message must not be longer than ${largestMessageBytes} bytes.`);
}

function describeReceived(received: Received): object {
  const { id, receipt: ReceiptHandle, body, md5: MD5OfBody, receiveCount, sent } = received;
  const texts = Object.entries(received.attributes);
  return {
    MessageId: id,
    ReceiptHandle,
    Body: body,
    MD5OfBody,
    Attributes: { ApproximateReceiveCount: String(receiveCount), SentTimestamp: String(sent.getTime()) },
    ...(texts.length > 0 && {
      MessageAttributes: Object.fromEntries(
        texts.map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
      ),
    }),
  };
}
