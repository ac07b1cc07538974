// The adapter for the issue function's queue, over the sandbox's SQS.
import { expect, onTestFinished, test } from 'vitest';
import { connectIssueQueue } from '../../lib/adapters/sqs/issue-queue.ts';
import { parseIssueEvent } from '../../lib/requests/requests.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { Queue } from '../sandbox/sqs/queue.ts';
import { startSqs } from '../sandbox/sqs/server.ts';

const never = new AbortController().signal;

async function open() {
  const journal = new Journal();
  const faults = new Faults();
  const queue = new Queue('issue');
  const service = await startSqs({ queues: [queue], journal, faults });
  onTestFinished(() => service.stop());
  const config = {
    endpoint: service.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: accessKeyOf('register'), secretAccessKey: 'any' },
  };
  const issueQueue = connectIssueQueue({ url: service.urlOf(queue), config });
  onTestFinished(() => issueQueue.close());
  return { queue, issueQueue, journal, faults, service, config };
}

test('a message is the event that issue understands, and carries the id of the request', async () => {
  const { queue, issueQueue, journal, service } = await open();
  await issueQueue.send(['shop', 'edge'], 'request-1', {}, never);
  const delivered = new Promise<unknown>((resolve) => {
    service.subscribe(queue, async (event) => resolve(event), { principal: 'issue' });
  });
  const event = await delivered;
  expect(parseIssueEvent(event)).toEqual({
    kind: 'batch',
    messages: [{ id: expect.any(String), receives: 1, request: { certificates: ['shop', 'edge'] } }],
  });
  expect(event).toMatchObject({
    Records: [{ messageAttributes: { request: { stringValue: 'request-1' } } }],
  });
  expect(journal.find({ action: 'SendMessage' })).toMatchObject([
    { principal: 'register', resource: queue.arn, status: 200 },
  ]);
});

test('what cannot be sent is an error that names the queue and what is missing', async () => {
  const { issueQueue, faults, config, queue } = await open();
  faults.set('sqs', 'SendMessage', { kind: 'error', code: 'AccessDeniedException', status: 403 });
  await expect(issueQueue.send(['shop'], 'r', {}, never)).rejects.toMatchObject({
    code: 'QueueFailed',
    message: expect.stringMatching(/sqs:SendMessage on http.*\/issue/),
  });
  const none = connectIssueQueue({ url: `${config.endpoint}/123456789012/none`, config });
  onTestFinished(() => none.close());
  await expect(none.send(['shop'], 'r', {}, never)).rejects.toMatchObject({
    code: 'QueueFailed',
    message: expect.stringContaining('QueueDoesNotExist'),
  });
  const reason = new Error('the deadline is near');
  await expect(issueQueue.send(['shop'], 'r', {}, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(queue.bodies()).toEqual([]);
});

test('what is left for later is delayed, and says how often that came to nothing', async () => {
  const { issueQueue, queue } = await open();
  await issueQueue.send(['shop'], 'r', { delaySeconds: 60, fruitless: 2 }, never);
  expect(queue.count()).toEqual({ visible: 0, hidden: 1 });
  expect(queue.bodies().map((body) => JSON.parse(body))).toEqual([{ certificates: ['shop'], fruitless: 2 }]);
});

test('a dropped connection is tried again', async () => {
  const { issueQueue, faults, queue } = await open();
  faults.set('sqs', 'SendMessage', { kind: 'drop' });
  await issueQueue.send(['shop'], 'r', {}, never);
  expect(queue.bodies()).toEqual(['{"certificates":["shop"]}']);
});
