// Amazon SQS for the sandbox: its AWS JSON 1.0 protocol over HTTP, with the queues it is told to have.
import { randomUUID } from 'node:crypto';
import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { type Answer, type Part, type Request, type Surroundings, serve } from '../http-server.ts';
import { readSignature } from '../principal.ts';
import { queueActions, SqsRefusal } from './actions.ts';
import type { Queue } from './queue.ts';
import { type Subscription, type SubscriptionOptions, subscribe } from './subscription.ts';

export interface Sqs {
  /** For `AWS_ENDPOINT_URL_SQS`. */
  readonly url: string;
  /** Queue URL, as functions get it in their environment. */
  urlOf(queue: Queue): string;
  /** Delivers the queue's messages to a function, as an event source mapping of Lambda does. */
  subscribe(
    queue: Queue,
    invoke: (event: SQSEvent) => Promise<unknown>,
    options: SubscriptionOptions,
  ): Subscription;
  /** Also stops every subscription. */
  stop(): Promise<void>;
}

const target = /^AmazonSQS\.(\w+)$/;
const subject = z.object({ QueueUrl: z.string().optional(), QueueName: z.string().optional() });

/** Starts it with these queues; there is no CreateQueue. Only signed requests are answered. */
export async function startSqs({
  queues,
  ...surroundings
}: Surroundings & { readonly queues: readonly Queue[] }): Promise<Sqs> {
  const subscriptions: Subscription[] = [];
  const part: Part = {
    service: 'sqs',
    describe(request) {
      const action = actionOf(request);
      if (action === undefined) return undefined;
      const principal = readSignature(request.headers.authorization)?.principal ?? 'unknown';
      const resource = findQueue(queues, request)?.arn ?? '*';
      // IAM has one action for both.
      const needed = action === 'SendMessageBatch' ? 'SendMessage' : action;
      return { action, resource, principal, needs: [{ action: `sqs:${needed}`, resource }] };
    },
    async handle(request) {
      try {
        return answer(200, await carryOut(request));
      } catch (error) {
        if (error instanceof SqsRefusal) return refuse(error.code, 400, error.message);
        if (error instanceof z.ZodError) return refuse('InvalidParameterValue', 400, z.prettifyError(error));
        throw error;
      }
    },
    refuse,
    denials: {
      denied: { code: 'AccessDenied', status: 403 },
      unknown: { code: 'InvalidClientTokenId', status: 403 },
    },
  };
  const server = await serve(part, surroundings);
  const urlOf = (queue: Queue) => `${server.url}/123456789012/${queue.name}`;

  async function carryOut(request: Request): Promise<object> {
    checkSignature(request);
    const name = actionOf(request) ?? '';
    const queue = findQueue(queues, request);
    if (!queue) throw new SqsRefusal('QueueDoesNotExist', 'The specified queue does not exist.');
    if (name === 'GetQueueUrl') return { QueueUrl: urlOf(queue) };
    const action = queueActions[name];
    if (!action) throw new SqsRefusal('UnsupportedOperation', 'There is no such operation here.');
    return action(queue, readJson(request));
  }

  return {
    url: server.url,
    urlOf,
    subscribe(queue, invoke, options) {
      const subscription = subscribe(queue, invoke, surroundings, options);
      subscriptions.push(subscription);
      return subscription;
    },
    async stop() {
      await Promise.all(subscriptions.map((subscription) => subscription.stop()));
      await server.stop();
    },
  };
}

function actionOf(request: Request): string | undefined {
  return target.exec(String(request.headers['x-amz-target'] ?? ''))?.[1];
}

function checkSignature(request: Request): void {
  const signature = readSignature(request.headers.authorization);
  if (!signature) throw new SqsRefusal('MissingAuthenticationToken', 'Missing Authentication Token');
  if (signature.service !== 'sqs')
    throw new SqsRefusal('InvalidSecurity', "Credential should be scoped to correct service: 'sqs'.");
}

function findQueue(queues: readonly Queue[], request: Request): Queue | undefined {
  let input: unknown;
  try {
    input = readJson(request);
  } catch {
    return undefined;
  }
  const { QueueUrl, QueueName } = subject.safeParse(input).data ?? {};
  const name = QueueName ?? QueueUrl?.split('/').at(-1);
  return queues.find((queue) => queue.name === name);
}

function readJson(request: Request): unknown {
  try {
    return JSON.parse(request.body.toString('utf8') || '{}');
  } catch {
    throw new SqsRefusal('SerializationException', 'The request is not JSON.');
  }
}

function refuse(code: string, status: number, message: string): Answer {
  return answer(status, { __type: `com.amazonaws.sqs#${code}`, message });
}

function answer(status: number, body: object): Answer {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': randomUUID() },
    body: JSON.stringify(body),
  };
}
