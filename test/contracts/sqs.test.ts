// The sandbox's SQS: the contract, and the way from a queue to a function.
import type { SQSEvent } from 'aws-lambda';
import { expect, onTestFinished, test } from 'vitest';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { Queue } from '../sandbox/sqs/queue.ts';
import { startSqs } from '../sandbox/sqs/server.ts';
import { subscribe } from '../sandbox/sqs/subscription.ts';
import { sqsContract } from './sqs.ts';

sqsContract('embedded SQS', () => {
  const dead = new Queue('contract-dead');
  const redrive = { deadLetters: dead, maxReceiveCount: 2 };
  const queues = [new Queue('contract', { redrive }), dead];
  return startSqs({ queues, journal: new Journal(), faults: new Faults() });
});

type Reply = (bodies: readonly string[], event: SQSEvent) => unknown;

/** A queue whose messages are tried twice, and a function that answers as it is told. */
function open(reply: Reply, options: { batchSize?: number; reportBatchItemFailures?: boolean } = {}) {
  const dead = new Queue('dead');
  const queue = new Queue('main', {
    visibilityTimeoutMs: 20,
    redrive: { deadLetters: dead, maxReceiveCount: 2 },
  });
  const journal = new Journal();
  const batches: string[][] = [];
  const invoke = async (event: SQSEvent) => {
    const bodies = event.Records.map(({ body }) => body);
    batches.push(bodies);
    return reply(bodies, event);
  };
  const start = () => {
    const subscription = subscribe(
      queue,
      invoke,
      { journal },
      {
        principal: 'issue',
        concurrency: 1,
        ...options,
      },
    );
    onTestFinished(() => subscription.stop());
    return subscription;
  };
  return { queue, dead, journal, batches, start };
}

test('messages come in batches, as Lambda shows them, and go once the function succeeds', async () => {
  let event: SQSEvent | undefined;
  const { queue, batches, journal, start } = open(
    (_, got) => {
      event ??= got;
    },
    { batchSize: 2 },
  );
  queue.send('a', { request: 'r-1' });
  queue.send('b');
  queue.send('c');
  start();
  await queue.untilEmpty();
  expect(batches).toEqual([['a', 'b'], ['c']]);
  expect(event?.Records[0]).toMatchObject({
    messageId: expect.any(String),
    body: 'a',
    attributes: { ApproximateReceiveCount: '1' },
    messageAttributes: { request: { stringValue: 'r-1', dataType: 'String' } },
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
  });
  const actions = journal.find({ service: 'sqs', principal: 'issue' }).map(({ action }) => action);
  expect(new Set(actions)).toEqual(new Set(['GetQueueAttributes', 'ReceiveMessage', 'DeleteMessage']));
});

test('only the messages that the function names come again, and at last are dead letters', async () => {
  const { queue, dead, batches, start } = open((bodies, { Records }) => ({
    batchItemFailures: Records.filter((_, i) => bodies[i] === 'bad').map(({ messageId: itemIdentifier }) => ({
      itemIdentifier,
    })),
  }));
  queue.send('good');
  queue.send('bad');
  start();
  await queue.untilEmpty();
  expect(batches).toEqual([['good', 'bad'], ['bad']]);
  expect(dead.bodies()).toEqual(['bad']);
});

const complete: [title: string, reply: Reply, deadLetters: string[]][] = [
  ['a throw fails the whole batch', () => Promise.reject(new Error('no')), ['a', 'b']],
  ['an empty list is success', () => ({ batchItemFailures: [] }), []],
  ['null is success', () => null, []],
  ['another answer is success', () => ({ report: [] }), []],
  ['an empty id fails the whole batch', () => ({ batchItemFailures: [{ itemIdentifier: '' }] }), ['a', 'b']],
  ['a misspelt key fails the whole batch', () => ({ batchItemFailures: [{ id: 'x' }] }), ['a', 'b']],
  [
    'a strange id fails the whole batch',
    () => ({ batchItemFailures: [{ itemIdentifier: 'x' }] }),
    ['a', 'b'],
  ],
];
test.each(complete)('%s', async (_, reply, deadLetters) => {
  const { queue, dead, start } = open(reply);
  queue.send('a');
  queue.send('b');
  start();
  await queue.untilEmpty();
  expect(dead.bodies()).toEqual(deadLetters);
});

test('a batch can be delivered twice although the function succeeded', async () => {
  const { queue, batches, start } = open(() => undefined, { batchSize: 1 });
  queue.send('a');
  queue.send('b');
  start().deliverTwice();
  await queue.untilEmpty();
  expect(batches).toEqual([['a'], ['a'], ['b']]);
});

test('a message may be sent while none is there, and a delayed one waits', async () => {
  const { queue, batches, start } = open(() => undefined, { batchSize: 1 });
  start();
  queue.send('late', {}, 30);
  queue.send('now');
  await queue.untilEmpty();
  expect(batches).toEqual([['now'], ['late']]);
});
