// moto keeps the contract of SQS but for the promises named here, where AWS documents more than moto
// enforces.
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { test } from 'vitest';
import { sqsContract } from '../contracts/sqs.ts';
import { locate } from './parts/locate.ts';
import { startMoto } from './parts/moto.ts';

const differences = ['a body is not empty', 'a body holds no control characters'];

if (locate('moto')) sqsContract('moto SQS', start, differences);
else test.todo('SQS: run test/real/install moto');

async function start() {
  const moto = await startMoto();
  const client = new SQSClient({
    endpoint: moto.endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'contract-dead' }));
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: 2 });
  await client.send(new CreateQueueCommand({ QueueName: 'contract', Attributes: { RedrivePolicy } }));
  client.destroy();
  return { url: moto.endpoint, stop: () => moto.stop() };
}
