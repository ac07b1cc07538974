// Lambda's event source mapping: takes batches from a queue to a function and believes what it answers.
import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import type { Surroundings } from '../http-server.ts';
import type { Queue, Received } from './queue.ts';

export interface SubscriptionOptions {
  /** The function, in whose name Lambda reads the queue. */
  readonly principal: string;
  readonly batchSize?: number;
  /** Batches under way at once. Lambda begins with five. */
  readonly concurrency?: number;
  /** Without it, what a function answers is not looked at. */
  readonly reportBatchItemFailures?: boolean;
}

export interface Subscription {
  /** The next batches are delivered once more after the function answered, as SQS may do at any time. */
  deliverTwice(batches?: number): void;
  /** Stops taking messages and resolves when no batch is under way. */
  stop(): Promise<void>;
}

const response = z.object({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish(),
});

/** Delivers until stopped. `invoke` gives what the function answered and rejects where it failed. */
export function subscribe(
  queue: Queue,
  invoke: (event: SQSEvent) => Promise<unknown>,
  { journal, access }: Pick<Surroundings, 'journal' | 'access'>,
  options: SubscriptionOptions,
): Subscription {
  const { principal, batchSize = 10, concurrency = 5, reportBatchItemFailures = true } = options;
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  let twice = 0;

  async function call(action: string): Promise<void> {
    const resource = queue.arn;
    const entry = await journal.begin({ service: 'sqs', action, resource, principal });
    const denial = access?.refuse(principal, [{ action: `sqs:${action}`, resource }]);
    if (denial !== undefined) throw new Error(denial);
    await journal.end(entry, 200);
  }

  async function deliver(batch: readonly Received[]): Promise<void> {
    const event: SQSEvent = { Records: batch.map((message) => toRecord(message, queue)) };
    let failed = await failedOf(event);
    if (twice > 0) {
      twice -= 1;
      failed = await failedOf(event);
    }
    // What failed stays hidden until its time is over, and is delivered again then.
    const done = batch.filter(({ id }) => !failed.has(id));
    for (const { receipt } of done) {
      await call('DeleteMessage');
      queue.delete(receipt);
    }
  }

  async function failedOf(event: SQSEvent): Promise<ReadonlySet<string>> {
    const all = new Set(event.Records.map(({ messageId }) => messageId));
    try {
      const answer = await invoke(event);
      return reportBatchItemFailures ? readFailures(answer, all) : new Set();
    } catch {
      return all;
    }
  }

  async function run(): Promise<void> {
    await call('GetQueueAttributes');
    while (!stopping.signal.aborted) {
      await queue.untilVisible(stopping.signal);
      if (stopping.signal.aborted) break;
      if (underWay.size >= concurrency) {
        await Promise.race(underWay);
        continue;
      }
      await call('ReceiveMessage');
      const batch = queue.receive(batchSize);
      if (batch.length === 0) continue;
      const delivery: Promise<void> = deliver(batch).finally(() => underWay.delete(delivery));
      underWay.add(delivery);
    }
    await Promise.all(underWay);
  }

  const running = run();
  return {
    deliverTwice(batches = 1) {
      twice += batches;
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Nothing, null or an empty list: all succeeded. Anything that is not the documented shape, or names a
 *  message that was not in the batch: all failed. */
function readFailures(answer: unknown, all: ReadonlySet<string>): ReadonlySet<string> {
  if (answer === undefined || answer === null) return new Set();
  const { data } = response.safeParse(answer);
  if (!data) return all;
  const failed = new Set((data.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier));
  return [...failed].every((id) => all.has(id)) ? failed : all;
}

function toRecord(message: Received, queue: Queue): SQSEvent['Records'][number] {
  const attributes = Object.entries(message.attributes).map(([name, stringValue]) => [
    name,
    { stringValue, stringListValues: [], binaryListValues: [], dataType: 'String' },
  ]);
  return {
    messageId: message.id,
    receiptHandle: message.receipt,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receiveCount),
      SentTimestamp: String(message.sent.getTime()),
      SenderId: 'AIDASANDBOX',
      ApproximateFirstReceiveTimestamp: String(message.firstReceived.getTime()),
    },
    messageAttributes: Object.fromEntries(attributes),
    md5OfBody: message.md5,
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion: 'eu-central-1',
  };
}
