// AWS Lambda for the sandbox: the Invoke endpoint over production bundles, each in processes of its own.
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { findBuilt } from '../../built.ts';
import { type Answer, type Part, type Request, type Surroundings, serve } from '../http-server.ts';
import { readSignature } from '../principal.ts';
import { type FunctionResult, type FunctionSpec, LambdaFunction } from './function.ts';

/** One line that a function wrote. */
export interface LogLine {
  /** The function's short name. */
  readonly function: string;
  readonly requestId: string;
  readonly line: string;
  readonly at: Date;
}

/** What Lambda answers for a function that threw, ran out of time or whose process ended. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
}

export interface InvokeResult {
  /** What the handler answered; `undefined` where it failed. */
  readonly answer: unknown;
  readonly error: FunctionError | undefined;
  /** The most memory the function's process had so far; absent where the process ended. */
  readonly peakMemoryMb: number | undefined;
  readonly log: readonly string[];
}

export interface Lambda {
  /** For `AWS_ENDPOINT_URL_LAMBDA`. */
  readonly url: string;
  /** Every line of every function so far. */
  readonly logs: readonly LogLine[];
  /** Invokes by short name. `remainingMs` stands in for the function's timeout. Never rejects for the
   *  function's failure. */
  invoke(name: string, event: unknown, options?: { readonly remainingMs?: number }): Promise<InvokeResult>;
  /** The function as a subscription or an HTTP route calls it: gives the answer, rejects where it failed. */
  call(name: string, event: unknown): Promise<unknown>;
  /** Processes of a function that are there now, to be killed by a test. */
  pids(name: string): readonly number[];
  /** Starts a process of a function that a later invocation finds ready. */
  prepare(name: string): void;
  /** SIGKILL for the processes of a function that are at work; resolves when they are gone. */
  kill(name: string): Promise<void>;
  /** Ends every process. */
  stop(): Promise<void>;
}

export interface LambdaOptions extends Surroundings {
  /** By short name (`issue`). The endpoint knows each also by its deployed name. */
  readonly functions: Readonly<Record<string, FunctionSpec>>;
  /** What a deployed name has before the short one: service and stage. */
  readonly namePrefix?: string;
  readonly onLine?: ((line: LogLine) => void) | undefined;
  /** Waits before a failed invocation of type Event is tried again. */
  readonly retryDelaysMs?: readonly number[];
}

const path = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
const failure = z.object({ errorType: z.string(), errorMessage: z.string() });

export async function startLambda({
  functions,
  namePrefix = 'certrelay-dev-',
  onLine,
  retryDelaysMs = [60_000, 120_000],
  ...surroundings
}: LambdaOptions): Promise<Lambda> {
  const runtime = await findBuilt('runtime');
  const logs: LogLine[] = [];
  const known = new Map(
    Object.entries(functions).map(([name, spec]) => [
      name,
      new LambdaFunction(name, spec, runtime, (line, requestId) => {
        const entry = { function: name, requestId, line, at: new Date() };
        logs.push(entry);
        onLine?.(entry);
      }),
    ]),
  );
  const stopping = new AbortController();

  const part: Part = {
    service: 'lambda',
    // Whoever invokes is no function of ours.
    describe: () => undefined,
    async handle(request) {
      if (!readSignature(request.headers.authorization))
        return refuse('MissingAuthenticationTokenException', 403, 'Missing Authentication Token');
      const asked = decodeURIComponent(path.exec(request.url.pathname)?.[1] ?? '');
      const name = asked.split(':').at(-1) ?? '';
      const found = known.get(name) ?? known.get(name.replace(namePrefix, ''));
      if (!found) return refuse('ResourceNotFoundException', 404, `Function not found: ${asked}`);
      const event = request.body.toString('utf8') || '{}';
      if (!isJson(event))
        return refuse('InvalidRequestContentException', 400, 'Could not parse request body into json');
      return invokeBy(found, event, request);
    },
    refuse,
  };
  const server = await serve(part, surroundings);

  async function invokeBy(found: LambdaFunction, event: string, request: Request): Promise<Answer> {
    switch (request.headers['x-amz-invocation-type'] ?? 'RequestResponse') {
      case 'RequestResponse':
        return describeResult(await found.invoke(event), request.headers['x-amz-log-type'] === 'Tail');
      case 'Event':
        void invokeLater(found, event);
        return { status: 202 };
      case 'DryRun':
        return { status: 204 };
      default:
        return refuse('InvalidParameterValueException', 400, 'There is no such invocation type.');
    }
  }

  async function invokeLater(found: LambdaFunction, event: string): Promise<void> {
    for (const delayMs of [...retryDelaysMs, undefined]) {
      const { functionError } = await found.invoke(event);
      if (!functionError || delayMs === undefined) return;
      await pause(delayMs, stopping.signal);
      if (stopping.signal.aborted) return;
    }
  }

  function find(name: string): LambdaFunction {
    const found = known.get(name);
    if (!found) throw new Error(`the sandbox has no function "${name}"`);
    return found;
  }

  async function invoke(
    name: string,
    event: unknown,
    options: { readonly remainingMs?: number } = {},
  ): Promise<InvokeResult> {
    const result = await find(name).invoke(JSON.stringify(event) ?? '{}', options.remainingMs);
    const payload: unknown = JSON.parse(result.payload);
    const { log, peakMemoryMb } = result;
    return result.functionError
      ? { answer: undefined, error: failure.parse(payload), log, peakMemoryMb }
      : { answer: payload, error: undefined, log, peakMemoryMb };
  }

  return {
    url: server.url,
    logs,
    invoke,
    async call(name, event) {
      const { answer, error } = await invoke(name, event);
      if (error) throw new Error(`${error.errorType}: ${error.errorMessage}`);
      return answer;
    },
    pids: (name) => find(name).pids,
    prepare: (name) => find(name).prepare(),
    kill: (name) => find(name).kill(),
    async stop() {
      stopping.abort();
      await Promise.all([...known.values()].map((found) => found.stop()));
      await server.stop();
    },
  };
}

function describeResult(result: FunctionResult, withLog: boolean): Answer {
  const tail = Buffer.from(`${result.log.join('\n')}\n`).subarray(-4096);
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': result.requestId,
      'x-amz-executed-version': '$LATEST',
      ...(result.functionError && { 'x-amz-function-error': result.functionError }),
      ...(withLog && { 'x-amz-log-result': tail.toString('base64') }),
    },
    body: result.payload,
  };
}

function refuse(code: string, status: number, message: string): Answer {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-amzn-errortype': code,
      'x-amzn-requestid': randomUUID(),
    },
    body: JSON.stringify({ Type: 'User', Message: message }),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
