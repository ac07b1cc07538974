// Decides which certificates are due, orders them and stores them. Called by schedule, by queue and by hand.
import { randomUUID } from 'node:crypto';
import type { SQSBatchResponse } from 'aws-lambda';
import { connectSecretsManager } from '../lib/adapters/secrets-manager/connection.ts';
import { issueCertificates } from '../lib/issue/issue.ts';
import type { IssueReport } from '../lib/issue/report.ts';
import type { IssueQueue } from '../lib/ports/queues.ts';
import type { FunctionEvent, IssueRequest } from '../lib/requests/requests.ts';
import { answerBatch } from './runtime/batch.ts';
import {
  beginInvocation,
  type Context,
  type Invocation,
  isEmpty,
  throwFailures,
} from './runtime/invocation.ts';
import { type Closing, generateSigningKey, openOrdering } from './wiring/ordering.ts';

/** A direct call answers with the report, and throws once all is tried where certificates failed; a batch answers with
 *  the messages whose certificates failed. */
export async function handler(event: unknown, context: Context): Promise<IssueReport | SQSBatchResponse> {
  const parsed = await readEvent(event);
  const invocation = await beginInvocation(context);
  if (parsed.kind === 'batch') {
    const work = async (request: IssueRequest) => (await issue(request, invocation)).failures;
    return answerBatch(parsed.messages, work, invocation.log);
  }
  const { report, failures } = await issue(parsed.request, invocation);
  throwFailures([...failures.values()], 'certificates');
  return report;
}

/** What reads other events than the schedule's is loaded for those. @throws ConfigError `Event`. */
async function readEvent(event: unknown): Promise<FunctionEvent<IssueRequest>> {
  if (isEmpty(event)) return { kind: 'request', request: {} };
  const { parseIssueEvent } = await import('../lib/requests/requests.ts');
  return parseIssueEvent(event);
}

async function issue(request: IssueRequest, invocation: Invocation) {
  const { settings, log, clock } = invocation;
  const secrets = connectSecretsManager({ prefix: settings.prefix, uuid: randomUUID });
  const closing: Closing = [async () => secrets.close()];
  try {
    const ports = {
      signingKey: (signal: AbortSignal) => secrets.signingKey(generateSigningKey, signal),
      queue: settings.issueQueueUrl === undefined ? undefined : openQueue(settings.issueQueueUrl, closing),
      store: secrets.certificates,
      installation: secrets.installation,
      clock,
      log,
      openOrdering: () => openOrdering(invocation, secrets, closing),
    };
    const run = { ...invocation, issueIntervalMs: settings.intervals.issue };
    return await issueCertificates(request, ports, run);
  } finally {
    await Promise.allSettled(closing.map((close) => close()));
  }
}

/** The queue that this function itself reads: loaded only once something is left for later. */
function openQueue(url: string, closing: Closing): IssueQueue {
  return {
    async send(...message) {
      const { connectIssueQueue } = await import('../lib/adapters/sqs/issue-queue.ts');
      const queue = connectIssueQueue({ url });
      closing.push(async () => queue.close());
      await queue.send(...message);
    },
  };
}
