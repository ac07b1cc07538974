// One Lambda function: its environment, its processes, its timeout, and the answers Lambda gives in its name.
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { accessKeyOf } from '../principal.ts';
import { type Ending, Worker } from './worker.ts';

const largestAnswerBytes = 6_291_556;
const region = 'eu-central-1';

export interface FunctionSpec {
  /** Path of the production bundle, an ES module that exports `handler`. */
  readonly bundle: string;
  /** Beside what Lambda sets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
}

export interface FunctionResult {
  readonly requestId: string;
  /** What the handler answered, or Lambda's description of the failure. JSON. */
  readonly payload: string;
  /** Value of X-Amz-Function-Error; absent where the handler answered. */
  readonly functionError?: 'Unhandled';
  /** The most memory its process had so far; absent where the process ended. */
  readonly peakMemoryMb?: number | undefined;
  /** Lines that the invocation wrote, with Lambda's own around them. */
  readonly log: readonly string[];
}

export class LambdaFunction {
  readonly name: string;
  readonly arn: string;
  readonly #spec: FunctionSpec;
  readonly #runtime: string | undefined;
  readonly #onLine: (line: string, requestId: string) => void;
  readonly #workers = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #logs = new Map<string, string[]>();
  #isStopped = false;

  /** `runtime`: folder of what its processes run, built; absent: they read the source. */
  constructor(
    name: string,
    spec: FunctionSpec,
    runtime: string | undefined,
    onLine: (line: string, requestId: string) => void,
  ) {
    this.#runtime = runtime;
    this.name = name;
    this.arn = `arn:aws:lambda:${region}:123456789012:function:${name}`;
    this.#spec = spec;
    this.#onLine = onLine;
  }

  /** Processes that are there now. */
  get pids(): readonly number[] {
    return [...this.#workers].map(({ pid }) => pid);
  }

  /** Runs the handler once, in a process that is free or in a new one. `event` is JSON. Never rejects. */
  async invoke(event: string, timeoutMs = this.#spec.timeoutSeconds * 1000): Promise<FunctionResult> {
    const id = randomUUID();
    const log: string[] = [];
    this.#logs.set(id, log);
    this.#write(`START RequestId: ${id} Version: $LATEST`, id);
    const started = performance.now();
    const worker = this.#takeWorker();
    if (this.#isStopped) worker.kill();
    const timer = Promise.withResolvers<'timeout'>();
    const timeout = setTimeout(() => timer.resolve('timeout'), timeoutMs);
    const request = { id, event, functionArn: this.arn, deadline: Date.now() + timeoutMs };
    const ending = await Promise.race([worker.invoke(request), timer.promise]);
    clearTimeout(timeout);
    if (ending === 'timeout') worker.kill();
    if (ending === 'timeout' || ending.kind === 'exited') await worker.ended;
    else this.#idle.push(worker);
    this.#write(`END RequestId: ${id}`, id);
    const peakMemoryMb = ending === 'timeout' || ending.kind === 'exited' ? undefined : ending.peakMemoryMb;
    this.#report(id, performance.now() - started, peakMemoryMb);
    this.#logs.delete(id);
    return { requestId: id, log, peakMemoryMb, ...conclude(id, ending, timeoutMs) };
  }

  /** Starts a process that a later invocation finds ready. */
  prepare(): void {
    this.#idle.unshift(this.#startWorker());
  }

  /** Ends the processes that are at work, as SIGKILL ends them, and resolves when they are gone. */
  async kill(): Promise<void> {
    const busy = [...this.#workers].filter((worker) => !this.#idle.includes(worker));
    for (const worker of busy) worker.kill();
    await Promise.all(busy.map(({ ended }) => ended));
  }

  /** Ends every process, also those of later invocations. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const worker of this.#workers) worker.kill();
    await Promise.all([...this.#workers].map(({ ended }) => ended));
  }

  #takeWorker(): Worker {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) if (!idle.isGone) return idle;
    return this.#startWorker();
  }

  #startWorker(): Worker {
    const directory = dirname(this.#spec.bundle);
    const options = { directory, memoryMb: this.#spec.memoryMb, runtime: this.#runtime };
    const worker = new Worker(this.#environment(), options, (line, id) => this.#write(line, id));
    this.#workers.add(worker);
    worker.ended.then(() => this.#workers.delete(worker)).catch(() => undefined);
    return worker;
  }

  #write(line: string, id: string): void {
    this.#logs.get(id)?.push(line);
    this.#onLine(line, id);
  }

  #report(id: string, ms: number, peakMemoryMb = this.#spec.memoryMb): void {
    const facts = [
      `REPORT RequestId: ${id}`,
      `Duration: ${ms.toFixed(2)} ms`,
      `Billed Duration: ${Math.ceil(ms)} ms`,
      `Memory Size: ${this.#spec.memoryMb} MB`,
      `Max Memory Used: ${peakMemoryMb} MB`,
    ];
    this.#write(`${facts.join('\t')}\t`, id);
  }

  #environment(): Record<string, string> {
    return {
      AWS_LAMBDA_FUNCTION_NAME: this.name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(this.#spec.memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${this.name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/01/[$LATEST]sandbox',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyOf(this.name),
      AWS_SECRET_ACCESS_KEY: 'sandbox',
      AWS_SESSION_TOKEN: 'sandbox',
      AWS_EC2_METADATA_DISABLED: 'true',
      _HANDLER: 'index.handler',
      LAMBDA_TASK_ROOT: dirname(this.#spec.bundle),
      // A home that is not there, as on Lambda: nothing of the machine's own AWS configuration is read.
      HOME: '/home/sbx_user1051',
      PATH: dirname(process.execPath),
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      ...this.#spec.environment,
    };
  }
}

function conclude(
  id: string,
  ending: Ending | 'timeout',
  timeoutMs: number,
): Pick<FunctionResult, 'payload' | 'functionError'> {
  const fail = (errorType: string, errorMessage: string) =>
    ({ payload: JSON.stringify({ errorType, errorMessage }), functionError: 'Unhandled' }) as const;
  if (ending === 'timeout') {
    const seconds = (timeoutMs / 1000).toFixed(2);
    return fail('Sandbox.Timedout', `RequestId: ${id} Error: Task timed out after ${seconds} seconds`);
  }
  switch (ending.kind) {
    case 'exited':
      return fail('Runtime.ExitError', `RequestId: ${id} Error: Runtime exited with error: ${ending.how}`);
    case 'threw':
      return { payload: ending.payload, functionError: 'Unhandled' };
    case 'answered':
      return Buffer.byteLength(ending.payload) <= largestAnswerBytes
        ? { payload: ending.payload }
        : fail(
            'Function.ResponseSizeTooLarge',
            `Response payload size exceeded maximum allowed payload size (${largestAnswerBytes} bytes).`,
          );
  }
}
