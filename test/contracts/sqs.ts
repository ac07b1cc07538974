// What AWS documents of SQS standard queues, asked with the SDK: the double and any other endpoint must
// answer the same.
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { promisesOf } from './promise.ts';

/** An endpoint to try, with an empty queue `contract` whose messages go to `contract-dead` after two
 *  receptions. */
export interface SqsEndpoint {
  readonly url: string;
  stop(): Promise<void>;
}

/** Declares the suite. Cases named in `differences` must fail there: the endpoint is known not to do what AWS
 *  documents. */
export function sqsContract(
  title: string,
  start: () => Promise<SqsEndpoint>,
  differences: readonly string[] = [],
): void {
  describe(title, () => {
    let endpoint: SqsEndpoint;
    let client: SQSClient;
    let QueueUrl = '';
    const promise = promisesOf(new Set(differences));

    beforeAll(async () => {
      endpoint = await start();
      client = new SQSClient({
        endpoint: endpoint.url,
        region: 'eu-central-1',
        credentials: { accessKeyId: 'AKIASANDBOXOPERATOR', secretAccessKey: 'any' },
        maxAttempts: 1,
      });
      QueueUrl = await urlOf('contract');
    });
    beforeEach(async () => {
      for (const url of [QueueUrl, await urlOf('contract-dead')]) {
        for (const message of await receive(url)) {
          await client.send(
            new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle }),
          );
        }
      }
    });
    afterAll(async () => {
      client.destroy();
      await endpoint.stop();
    });

    async function urlOf(QueueName: string): Promise<string> {
      return (await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? '';
    }
    const send = (MessageBody: string) => client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    async function receive(url = QueueUrl) {
      const request = {
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['All' as const],
        MessageAttributeNames: ['All'],
      };
      return (await client.send(new ReceiveMessageCommand(request))).Messages ?? [];
    }
    const show = (ReceiptHandle: string | undefined) =>
      client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    const refusedAs = (name: string) => expect.objectContaining({ name });

    promise('a message is received with its attributes, hides, and goes when it is deleted', async () => {
      const attribute = { request: { DataType: 'String', StringValue: 'r-1' } };
      const sent = await client.send(
        new SendMessageCommand({ QueueUrl, MessageBody: 'ü', MessageAttributes: attribute }),
      );
      const [message] = await receive();
      expect(message).toMatchObject({
        MessageId: sent.MessageId,
        Body: 'ü',
        MessageAttributes: attribute,
        Attributes: { ApproximateReceiveCount: '1' },
      });
      expect(await receive()).toEqual([]);
      const ReceiptHandle = message?.ReceiptHandle;
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
      );
      expect(Attributes).toMatchObject({
        ApproximateNumberOfMessages: '0',
        ApproximateNumberOfMessagesNotVisible: '0',
        QueueArn: expect.stringMatching(/:contract$/),
      });
    });

    promise('a message that was received twice goes to the dead-letter queue, not to a third', async () => {
      const { MessageId } = await send('poison');
      for (const count of ['1', '2']) {
        const [message] = await receive();
        expect(message?.Attributes?.ApproximateReceiveCount).toBe(count);
        await show(message?.ReceiptHandle);
      }
      expect(await receive()).toEqual([]);
      const [dead] = await receive(await urlOf('contract-dead'));
      expect(dead).toMatchObject({ MessageId, Body: 'poison' });
    });

    promise('a body has at most 1 MiB', async () => {
      await send('x'.repeat(1_048_576));
      await expect(send('x'.repeat(1_048_577))).rejects.toEqual(refusedAs('InvalidParameterValue'));
    });

    promise('a body is not empty', async () => {
      await expect(send('')).rejects.toThrow();
    });

    promise('a body holds no control characters', async () => {
      await send('\t\r\n');
      await expect(send('\u0001')).rejects.toEqual(refusedAs('InvalidMessageContents'));
    });

    promise('a batch has 1 to 10 entries with Ids of their own', async () => {
      const batch = (ids: string[]) =>
        client.send(
          new SendMessageBatchCommand({ QueueUrl, Entries: ids.map((Id) => ({ Id, MessageBody: Id })) }),
        );
      const ten = Array.from({ length: 10 }, (_, i) => `m${i}`);
      expect((await batch(ten)).Successful?.map(({ Id }) => Id)).toEqual(ten);
      await expect(batch([...ten, 'm10'])).rejects.toEqual(refusedAs('TooManyEntriesInBatchRequest'));
      await expect(batch([])).rejects.toEqual(refusedAs('EmptyBatchRequest'));
      await expect(batch(['a', 'a'])).rejects.toEqual(refusedAs('BatchEntryIdsNotDistinct'));
    });

    promise('a queue that is not there is QueueDoesNotExist', async () => {
      await expect(urlOf('none')).rejects.toEqual(refusedAs('QueueDoesNotExist'));
    });
  });
}
