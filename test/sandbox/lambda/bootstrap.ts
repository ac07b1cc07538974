// Runs in a function's own process, as Lambda's Node.js runtime does: loads the bundle and calls its handler.
// Between two invocations the process is not frozen, as Lambda would.
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CompletionMessage, endMark, type InvocationMessage } from './messages.ts';

type Handler = (event: unknown, context: object) => unknown;

const [file = '', exported = ''] = (process.env._HANDLER ?? '').split('.');
const [, , compileCache] = process.argv;
if (compileCache !== undefined) enableCompileCache(compileCache);
// Loaded at once; a failure is told to whoever invokes first.
const loading = load();
loading.catch(() => undefined);

process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  run(message as InvocationMessage).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

async function run(request: InvocationMessage): Promise<void> {
  const completion = await complete(request);
  for (const stream of [1, 2]) writeSync(stream, `${endMark(request.id)}\n`);
  process.send?.(completion);
  // Few of these processes end in peace, which is when Node would write it.
  flushCompileCache();
}

async function complete(request: InvocationMessage): Promise<CompletionMessage> {
  try {
    const handler = await loading;
    const answer = await handler(JSON.parse(request.event), contextOf(request));
    return { failed: false, payload: JSON.stringify(answer) ?? 'null', peakMemoryMb: peakMemoryMb() };
  } catch (error) {
    const described = describe(error);
    const line = [new Date().toISOString(), request.id, 'ERROR', 'Invoke Error', JSON.stringify(described)];
    process.stderr.write(`${line.join('\t')}\n`);
    return { failed: true, payload: JSON.stringify(described), peakMemoryMb: peakMemoryMb() };
  }
}

async function load(): Promise<Handler> {
  const path = join(process.env.LAMBDA_TASK_ROOT ?? '', `${file}.js`);
  const bundle: Record<string, unknown> = await import(pathToFileURL(path).href);
  const handler = bundle[exported];
  if (typeof handler !== 'function') throw new Error(`${file}.${exported} is undefined or not exported`);
  // nodejs24.x calls no callbacks.
  if (handler.length > 2) throw new Error('a handler that takes a callback is not supported');
  return (event, context) => handler(event, context);
}

function contextOf({ id, functionArn, deadline }: InvocationMessage): object {
  const { env } = process;
  return {
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: functionArn,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: id,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

function peakMemoryMb(): number {
  // On Linux `maxRSS` begins with what the parent had as it started this process; the kernel's mark does not.
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const own = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return Math.ceil((own === undefined ? process.resourceUsage().maxRSS : Number(own)) / 1024);
}

function describe(error: unknown): object {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: (error.stack ?? '').split('\n'),
  };
}
