// What the log of a function tells while a call of it goes on: the last order, certificate or delivery.
import { setTimeout as pause } from 'node:timers/promises';
import { signAwsPost } from '../../lib/adapters/aws/signed-post.ts';
import type { LogEvent } from '../../lib/ports/log.ts';
import { type AnswerFields, fieldsOf, listOf, numberOf, textOf } from './answer.ts';
import type { SetCredentials } from './connection.ts';

/** Log events that people wait for, and how they are told. */
const milestones: Partial<Readonly<Record<LogEvent, string>>> = {
  'order created': 'order opened',
  'order resumed': 'order resumed',
  'certificate issued': 'certificate issued',
  'certificate delivered': 'delivered',
};

/** What is asked: a function's log in CloudWatch. */
export interface FollowedLog {
  /** Name of the function. */
  readonly functionName: string;
  readonly region: string;
  /** URL of CloudWatch Logs; absent: that of the region. */
  readonly endpoint: string | undefined;
  readonly identify: () => Promise<SetCredentials>;
  /** Milestones before it are those of other calls. */
  readonly since: Date;
  /** How often it is asked, in milliseconds. */
  readonly everyMs?: number;
}

/** Short calls ask nothing, and CloudWatch takes a few seconds to know a line. */
const defaultMs = 3_000;
const mostMs = 10_000;

/** Tells each time the newest milestone that the log has, until it is stopped. Other runs of the function
 *  write into the same log. Without the right to read it, or without an answer, it ends in silence: the call
 *  goes on.
 *  @returns Stops it. */
export function followLog(log: FollowedLog, tell: (milestone: string) => void): () => void {
  const stopping = new AbortController();
  follow(log, tell, stopping.signal).catch(() => undefined);
  return () => stopping.abort();
}

async function follow(log: FollowedLog, tell: (milestone: string) => void, signal: AbortSignal) {
  const filterPattern = `{ ${Object.keys(milestones)
    .map((event) => `($.message = "${event}")`)
    .join(' || ')} }`;
  const query = { logGroupName: `/aws/lambda/${log.functionName}`, filterPattern };
  let startTime = log.since.getTime();
  let nextToken: string | undefined;
  for (;;) {
    await pause(log.everyMs ?? defaultMs, undefined, { signal });
    const page = await filterEvents(log, { ...query, startTime, nextToken }, signal);
    const newest = listOf(page, 'events').toSorted((one, other) => timeOf(other) - timeOf(one))[0];
    const words = newest && describeMilestone(newest.message);
    if (words !== undefined) tell(words);
    nextToken = textOf(page, 'nextToken') || undefined;
    // A page that goes on belongs to the same question.
    if (nextToken === undefined && newest) startTime = Math.max(startTime, timeOf(newest));
  }
}

function timeOf(event: AnswerFields): number {
  return numberOf(event, 'timestamp') ?? 0;
}

/** `certificate issued: shop`, on one line; `undefined` for a line that is no milestone. */
function describeMilestone(line: unknown): string | undefined {
  try {
    const fields = fieldsOf(JSON.parse(String(line)));
    const words = new Map(Object.entries(milestones)).get(textOf(fields, 'message'));
    const subject = textOf(fields, 'target') || textOf(fields, 'certificate');
    return words === undefined ? undefined : `${words}: ${subject}`;
  } catch {
    return undefined;
  }
}

/** One page of FilterLogEvents (CloudWatch Logs API 2014-03-28). */
async function filterEvents(log: FollowedLog, body: object, signal: AbortSignal): Promise<AnswerFields> {
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'Logs_20140328.FilterLogEvents',
  };
  const request = { headers, body: JSON.stringify(body) };
  const { url, ...signed } = await signAwsPost({ service: 'logs', ...log }, request, new Date());
  const answer = await fetch(url, {
    method: 'POST',
    ...signed,
    signal: AbortSignal.any([signal, AbortSignal.timeout(mostMs)]),
  });
  if (!answer.ok) throw new Error(`CloudWatch Logs answered ${answer.status}`);
  return fieldsOf(await answer.json());
}
