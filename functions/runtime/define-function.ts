// What all functions share: parse the event, connect, run, close, answer. Every failure is logged, and thrown
// unless the call wants a report of it.
import type { SQSBatchResponse } from 'aws-lambda';
import type { CalledFunction } from '../../lib/policy/commands.ts';
import { codeOf, describeError, toError } from '../../lib/ports/errors.ts';
import type { Log } from '../../lib/ports/log.ts';
import { type CallEnding, readCallEvent } from '../../lib/requests/event.ts';
import type { FunctionEvent, RequestMessage } from '../../lib/requests/requests.ts';
import type { Settings } from '../../lib/settings/functions.ts';
import { answerBatch, type MergedRequest, type Work } from './batch.ts';
import { CallError, type CallReport, describeFailures, isTold, makeCallReport } from './failures.ts';
import { lookCommand } from './follow-up.ts';
import { beginInvocation, type Context, type Invocation } from './invocation.ts';
import { createLog } from './logger.ts';

/** A function as Lambda calls it. Only an event with `"report": true` is answered with a report. */
export type Handler<Answer> = (event: unknown, context: Context) => Promise<Answer | CallReport>;

/** Actions that close connections. They run when the work has ended, successful or not. */
export type Closing = (() => void | Promise<void>)[];

/** How work ended that was tried to its end. */
export interface Outcome<Answer> {
  readonly answer: Answer;
  /** Failures that are already logged. With any of them the invocation throws and gives no answer, unless the
   *  call wants a report, or a schedule calls and `status` tells all of them. */
  readonly failures?: readonly Error[];
}

/** An invocation, and how the call wants to be answered. */
export interface CallInvocation extends Invocation {
  /** Whether the answer is given in any case, with its failures. */
  readonly wantsReport: boolean;
}

/** Opens the ports of an invocation. Actions pushed to `closing` run after it. */
type Connect<Ports> = (invocation: Invocation, closing: Closing) => Ports;

/** Does what an event asks for. */
type Run<Request, Ports, Answer> = (
  request: Request,
  ports: Ports,
  invocation: CallInvocation,
) => Promise<Outcome<Answer>>;

/** Parts of a function that people and schedules call. */
export interface FunctionParts<Request, Ports, Answer> {
  /** Absent: nobody calls it by hand. */
  readonly name?: CalledFunction;
  /** @throws ConfigError `Event`. */
  readonly parse: (event: unknown, settings: Settings) => Request | Promise<Request>;
  readonly connect: Connect<Ports>;
  readonly run: Run<Request, Ports, Answer>;
}

/** Parts of a function that also reads a queue. */
export interface QueueFunctionParts<Request extends MergedRequest, Ports, Answer> {
  readonly name: CalledFunction;
  /** @throws ConfigError `Event`. */
  readonly parse: (
    event: unknown,
    settings: Settings,
  ) => FunctionEvent<Request> | Promise<FunctionEvent<Request>>;
  readonly connect: Connect<Ports>;
  /** A direct call. */
  readonly run: Run<Request, Ports, Answer>;
  /** Work for messages of the queue; returns the failures by certificate. */
  readonly work: (
    request: Request | MergedRequest,
    ports: Ports,
    invocation: Invocation,
  ) => Promise<ReadonlyMap<string, unknown>>;
}

/** A function that answers direct calls. It throws if the work had failures, so that alarms and retries see
 *  them; a call with `"report": true` is answered with them, and one with `"schedule": true` throws only
 *  those that `status` does not tell. */
export function defineFunction<Request, Ports, Answer>(
  parts: FunctionParts<Request, Ports, Answer>,
): Handler<Answer> {
  return openDoor(parts.name, async (event, invocation) => {
    const request = await parts.parse(event, invocation.settings);
    return withPorts(parts.connect, invocation, (ports) => parts.run(request, ports, invocation));
  });
}

/** As `defineFunction`, and answers a batch with the messages that failed instead of throwing. Each request
 *  of a batch has its own connections. */
export function defineQueueFunction<Request extends MergedRequest, Ports, Answer>(
  parts: QueueFunctionParts<Request, Ports, Answer>,
): Handler<Answer | SQSBatchResponse> {
  return openDoor<Answer | SQSBatchResponse>(parts.name, async (event, invocation) => {
    const parsed = await parts.parse(event, invocation.settings);
    if (parsed.kind === 'request') {
      const { request } = parsed;
      return withPorts(parts.connect, invocation, (ports) => parts.run(request, ports, invocation));
    }
    const work: Work<Request> = (request) =>
      withPorts(parts.connect, invocation, (ports) => parts.work(request, ports, invocation));
    return { answer: await answerBatch(parsed.messages, work, invocation.log) };
  });
}

/** Parts of a function whose messages have nothing in common, so that each is worked on by itself. */
export interface MessageFunctionParts<Request, Ports, Answer> {
  readonly name: CalledFunction;
  /** @throws ConfigError `Event`. */
  readonly parse: (event: unknown) => FunctionEvent<Request>;
  readonly connect: Connect<Ports>;
  /** A direct call. */
  readonly run: Run<Request, Ports, Answer>;
  /** Works on all messages of a batch at the same time; returns the ids of those that SQS must deliver
   *  again. */
  readonly work: (
    messages: readonly Readable<Request>[],
    ports: Ports,
    invocation: Invocation,
  ) => Promise<readonly string[]>;
}

/** A message of a batch that was parsed. */
export type Readable<Request> = Extract<RequestMessage<Request>, { readonly request: Request }>;

/** As `defineQueueFunction`, with one connection for the whole batch. Messages that cannot be read are
 *  logged, and SQS delivers them again. */
export function defineMessageFunction<Request, Ports, Answer>(
  parts: MessageFunctionParts<Request, Ports, Answer>,
): Handler<Answer | SQSBatchResponse> {
  return openDoor<Answer | SQSBatchResponse>(parts.name, async (event, invocation) => {
    const parsed = parts.parse(event);
    if (parsed.kind === 'request') {
      const { request } = parsed;
      return withPorts(parts.connect, invocation, (ports) => parts.run(request, ports, invocation));
    }
    const readable = parsed.messages.filter((message) => 'request' in message);
    const refused = parsed.messages.filter((message) => 'problem' in message);
    for (const { id, problem } of refused)
      invocation.log.error('message refused', { messageId: id, problem });
    const failed = await withPorts(parts.connect, invocation, (ports) =>
      parts.work(readable, ports, invocation),
    );
    const ids = [...refused.map(({ id }) => id), ...failed];
    return { answer: { batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) } };
  });
}

function openDoor<Answer>(
  name: CalledFunction | undefined,
  enter: (event: unknown, invocation: CallInvocation) => Promise<Outcome<Answer>>,
): Handler<Answer> {
  return async (received, context) => {
    let log: Log | undefined;
    let ending: CallEnding = 'error';
    let outcome: Outcome<Answer>;
    try {
      const call = readCallEvent(received);
      ending = call.ending;
      const invocation = await beginInvocation(context);
      log = invocation.log;
      outcome = await enter(call.event, { ...invocation, wantsReport: ending === 'report' });
    } catch (error) {
      reportFailure(error, log ?? context.awsRequestId);
      if (ending !== 'report') throw makeCallError([toError(error)], name);
      return makeCallReport(undefined, describeFailures([toError(error)], name));
    }
    const { answer, failures = [] } = outcome;
    if (ending === 'report') return makeCallReport(answer, describeFailures(failures, name));
    const ends = ending === 'schedule' ? failures.filter((failure) => !isTold(failure)) : failures;
    if (ends.length > 0) throw makeCallError(ends, name);
    return answer;
  };
}

function makeCallError(causes: readonly Error[], name: CalledFunction | undefined): CallError {
  const failures = describeFailures(causes, name);
  const command = name && lookCommand(name, failures);
  return new CallError(causes, failures, command === undefined ? [] : [command]);
}

/** Logs that an invocation ended with an error. `by`: the invocation's log, or its id if the settings are not
 *  read yet. */
export function reportFailure(error: unknown, by: Log | string): void {
  const log = typeof by === 'string' ? createLog('info', by) : by;
  log.error('invocation failed', { code: codeOf(error), problem: describeError(toError(error)) });
}

/** Closes everything that was opened, also if `run` fails. Failures of closing are ignored. */
async function withPorts<Ports, T>(
  connect: Connect<Ports>,
  invocation: Invocation,
  run: (ports: Ports) => Promise<T>,
): Promise<T> {
  const closing: Closing = [];
  try {
    return await run(connect(invocation, closing));
  } finally {
    await Promise.allSettled(closing.map(async (close) => close()));
  }
}
