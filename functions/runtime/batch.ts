// Answers SQS batches. Messages that only name certificates, or only clusters, are worked on together; each
// message fails only with its own certificates.
import type { SQSBatchResponse } from 'aws-lambda';
import { codeOf, describeError, toError } from '../../lib/ports/errors.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { RequestMessage } from '../../lib/requests/requests.ts';
import { isTold } from './failures.ts';

/** The request for several messages together. */
export interface MergedRequest {
  readonly certificates?: readonly string[] | undefined;
  readonly clusters?: readonly string[] | undefined;
}

/** Does the work of a request and returns the failures by certificate. */
export type Work<R extends MergedRequest> = (
  request: R | MergedRequest,
) => Promise<ReadonlyMap<string, unknown>>;

/** How often SQS delivers a message before it is a dead letter: `maxReceiveCount` in
 *  infra/template/queues.yml. */
export const mostReceives = 3;

/** The messages that SQS must deliver again: unreadable ones, those with a certificate that failed, and all
 *  messages of a request whose work threw. A failing request does not stop the others. A message becomes no
 *  dead letter for what `status` tells: a person would have to take it out, long after it is mended. */
export async function answerBatch<R extends MergedRequest>(
  messages: readonly RequestMessage<R>[],
  work: Work<R>,
  log: Log,
): Promise<SQSBatchResponse> {
  const readable = messages.filter((message) => 'request' in message);
  const failed = new Set<string>();
  for (const message of messages) {
    if (!('problem' in message)) continue;
    log.error('message refused', { messageId: message.id, problem: message.problem });
    failed.add(message.id);
  }
  const plain = readable.filter((message) => asksOnlyFor('certificates', message));
  const clusters = readable.filter((message) => asksOnlyFor('clusters', message) && !plain.includes(message));
  const special = readable.filter((message) => !plain.includes(message) && !clusters.includes(message));
  const passes = [
    ...(plain.length > 0 ? [{ request: merge(plain), messages: plain }] : []),
    ...(clusters.length > 0 ? [{ request: mergeClusters(clusters), messages: clusters }] : []),
    ...special.map((message) => ({ request: message.request, messages: [message] })),
  ];
  for (const pass of passes) {
    for (const id of await findFailed(pass, work, log)) failed.add(id);
  }
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}

interface Pass<R extends MergedRequest> {
  readonly request: R | MergedRequest;
  readonly messages: readonly ReadableMessage[];
}

interface ReadableMessage {
  readonly id: string;
  readonly request: MergedRequest;
  readonly receives?: number;
}

async function findFailed<R extends MergedRequest>(
  { request, messages }: Pass<R>,
  work: Work<R>,
  log: Log,
): Promise<readonly string[]> {
  try {
    const failures = await work(request);
    const comesAgain = ({ request: { certificates }, receives = 1 }: ReadableMessage) =>
      [...(certificates ?? failures.keys())].some(
        (name) => failures.has(name) && (receives < mostReceives || !isTold(failures.get(name))),
      );
    return messages.filter(comesAgain).map(({ id }) => id);
  } catch (error) {
    const ids = messages.map(({ id }) => id);
    log.error('messages failed', {
      messageIds: ids,
      code: codeOf(error),
      problem: describeError(toError(error)),
    });
    return ids;
  }
}

function asksOnlyFor(what: keyof MergedRequest, { request }: { readonly request: MergedRequest }): boolean {
  return Object.keys(request).every((key) => key === what);
}

/** One request for all messages. A message without names asks for every certificate. */
function merge(messages: readonly { readonly request: MergedRequest }[]): MergedRequest {
  const names = messages.map(({ request }) => request.certificates);
  if (names.includes(undefined)) return {};
  return { certificates: [...new Set(names.flatMap((list) => list ?? []))] };
}

function mergeClusters(messages: readonly { readonly request: MergedRequest }[]): MergedRequest {
  return { clusters: [...new Set(messages.flatMap(({ request }) => request.clusters ?? []))] };
}
