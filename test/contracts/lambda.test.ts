// The sandbox's Lambda: bundles in processes of their own, invoked as `serverless invoke` and AWS's event
// sources do.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { type LambdaOptions, startLambda } from '../sandbox/lambda/server.ts';
import { accessKeyOf } from '../sandbox/principal.ts';

/** Starts one function, `issue`, from the text of its bundle. */
async function open(bundle: string, options: Partial<LambdaOptions> = {}, timeoutSeconds = 20) {
  const root = await mkdtemp(join(tmpdir(), 'certrelay-lambda-'));
  const folder = join(root, 'dist', 'issue');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, 'index.js'), bundle);
  const lambda = await startLambda({
    journal: new Journal(),
    faults: new Faults(),
    functions: {
      issue: {
        bundle: join(folder, 'index.js'),
        environment: { CERTRELAY_PREFIX: 'mine' },
        timeoutSeconds,
        memoryMb: 256,
      },
    },
    ...options,
  });
  onTestFinished(async () => {
    await lambda.stop();
    await rm(root, { recursive: true });
  });
  /** One signed request to the Invoke endpoint (Lambda API reference, Invoke). */
  const send = async (body: string, headers: Record<string, string> = {}, name = 'certrelay-dev-issue') => {
    const response = await fetch(
      `${lambda.url}/2015-03-31/functions/${encodeURIComponent(name)}/invocations`,
      {
        method: 'POST',
        body,
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyOf('operator')}/20261122/eu-central-1/lambda/aws4_request, Signature=0`,
          ...headers,
        },
      },
    );
    const text = await response.text();
    const { status } = response;
    return {
      status,
      headers: response.headers,
      payload: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  };
  return { lambda, send, folder };
}

test("a handler sees Lambda's environment and context, and nothing of the machine's", async () => {
  const { lambda, folder } = await open(`
    export const handler = async (event, context) => ({
      event, env: process.env, argv: process.versions.node, cwd: process.cwd(),
      context: { ...context, left: context.getRemainingTimeInMillis() },
    });`);
  const { answer } = await lambda.invoke('issue', { a: 1 }, { remainingMs: 5_000 });
  expect(answer).toMatchObject({
    event: { a: 1 },
    cwd: folder,
    argv: expect.stringMatching(/^24\./),
    env: {
      AWS_LAMBDA_FUNCTION_NAME: 'issue',
      _HANDLER: 'index.handler',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: accessKeyOf('issue'),
      AWS_EC2_METADATA_DISABLED: 'true',
      LAMBDA_TASK_ROOT: folder,
      TZ: ':UTC',
      CERTRELAY_PREFIX: 'mine',
    },
    context: {
      functionName: 'issue',
      memoryLimitInMB: '256',
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    },
  });
  const { env, context } = answer as { env: Record<string, string>; context: { left: number } };
  expect(Object.keys(env).filter((name) => /^(npm_|VITEST|USER|NODE_OPTIONS)/.test(name))).toEqual([]);
  expect(context.left).toBeGreaterThan(0);
  expect(context.left).toBeLessThanOrEqual(5_000);
});

test('one process serves invocation after invocation; a second one is made only while it is busy', async () => {
  const { lambda } = await open(`
    let count = 0;
    export const handler = async (event) => {
      count += 1;
      if (event.wait) await new Promise((resolve) => setTimeout(resolve, 300));
      return [process.pid, count];
    };`);
  const first = await lambda.invoke('issue', {});
  const second = await lambda.invoke('issue', {});
  expect([first.answer, second.answer]).toEqual([
    [lambda.pids('issue')[0], 1],
    [lambda.pids('issue')[0], 2],
  ]);
  await Promise.all([lambda.invoke('issue', { wait: true }), lambda.invoke('issue', {})]);
  expect(lambda.pids('issue')).toHaveLength(2);
});

const failures: [title: string, bundle: string, error: object][] = [
  [
    'a throw',
    'export const handler = async () => { throw new RangeError("no"); };',
    { errorType: 'RangeError', errorMessage: 'no' },
  ],
  [
    'a throw of no Error',
    'export const handler = async () => { throw "no"; };',
    { errorType: 'string', errorMessage: 'no' },
  ],
  [
    'an exit',
    'export const handler = async () => process.exit(3);',
    {
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringMatching(/Runtime exited with error: exit status 3$/),
    },
  ],
  [
    'a bundle that cannot be loaded',
    'import "./none.js";',
    { errorMessage: expect.stringContaining('none.js') },
  ],
  [
    'a bundle without handler',
    'export const other = 1;',
    { errorMessage: expect.stringContaining('index.handler') },
  ],
  [
    'an answer over 6 MB',
    'export const handler = async () => "x".repeat(6_291_555);',
    { errorType: 'Function.ResponseSizeTooLarge' },
  ],
];
test.each(failures)('%s is a function error that names it', async (_, bundle, error) => {
  const { lambda, send } = await open(bundle);
  expect((await lambda.invoke('issue', {})).error).toMatchObject(error);
  const answer = await send('{}');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-amz-function-error')).toBe('Unhandled');
  expect(answer.payload).toMatchObject(error);
  await expect(lambda.call('issue', {})).rejects.toThrow();
});

test('a function that takes too long is killed, and the next invocation has a new process', async () => {
  const { lambda } = await open(
    `export const handler = async (event) => { while (event.spin); return process.pid; };`,
    {},
    20,
  );
  const { answer: pid } = await lambda.invoke('issue', {});
  const { error } = await lambda.invoke('issue', { spin: true }, { remainingMs: 250 });
  expect(error?.errorMessage).toMatch(/Task timed out after 0\.25 seconds$/);
  expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
  expect((await lambda.invoke('issue', {})).answer).not.toBe(pid);
});

test('a process that a test kills is reported as Runtime.ExitError', async () => {
  const { lambda } = await open(`
    console.log('here');
    export const handler = (event) => new Promise((resolve) => setInterval(() => {}, 1000));`);
  const invoked = lambda.invoke('issue', {});
  await expect.poll(() => lambda.logs.map(({ line }) => line)).toContain('here');
  for (const pid of lambda.pids('issue')) process.kill(pid, 'SIGKILL');
  expect((await invoked).error).toMatchObject({
    errorType: 'Runtime.ExitError',
    errorMessage: expect.stringContaining('signal: killed'),
  });
});

test("a function's memory is divided as Lambda's runtime does it, a tenth to the young generation", async () => {
  const { lambda } = await open('export const handler = async () => process.execArgv;');
  const { answer } = await lambda.invoke('issue', {});
  expect(answer).toEqual(['--max-semi-space-size=12', '--max-old-space-size=231']);
});

test('all lines of an invocation are kept with it, told as they come, and answered as tail', async () => {
  const told: string[] = [];
  const { lambda, send } = await open(
    `export const handler = async (event) => {
      console.log(event.word + ' out');
      console.error(event.word + ' err');
    };`,
    { onLine: ({ line }) => told.push(line) },
  );
  const { log, answer, peakMemoryMb } = await lambda.invoke('issue', { word: 'one' });
  expect(answer).toBeNull();
  expect(log[0]).toMatch(/^START RequestId: /);
  expect(log.slice(1, 3).sort()).toEqual(['one err', 'one out']);
  const report =
    /^REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\tMax Memory Used: (\d+) MB\t$/;
  expect(report.exec(log.at(-1) ?? '')?.[1]).toBe(String(peakMemoryMb));
  const { headers } = await send('{"word":"two"}', { 'x-amz-log-type': 'Tail' });
  const tail = Buffer.from(headers.get('x-amz-log-result') ?? '', 'base64').toString();
  expect(tail).toContain('two out');
  expect(tail).not.toContain('one');
  expect(told).toEqual(lambda.logs.map(({ line }) => line));
});

test('the endpoint answers what Invoke documents: by name or ARN, later, and not at all', async () => {
  const { send, lambda } = await open(
    'export const handler = async (event) => { console.log("run"); if (event.fail) throw new Error("no"); return event; };',
    { retryDelaysMs: [1, 1] },
  );
  const answer = await send('{"a":[1]}');
  expect(answer).toMatchObject({ status: 200, payload: { a: [1] } });
  expect(answer.headers.get('x-amz-executed-version')).toBe('$LATEST');
  expect(answer.headers.has('x-amz-function-error')).toBe(false);
  expect(answer.headers.has('x-amz-log-result')).toBe(false);
  const arn = 'arn:aws:lambda:eu-central-1:123456789012:function:certrelay-dev-issue';
  expect(await send('', {}, arn)).toMatchObject({ status: 200, payload: {} });
  expect(await send('', { 'x-amz-invocation-type': 'DryRun' })).toMatchObject({ status: 204 });
  // An asynchronous invocation that fails is tried twice more.
  expect(await send('{"fail":true}', { 'x-amz-invocation-type': 'Event' })).toMatchObject({ status: 202 });
  await expect.poll(() => lambda.logs.filter(({ line }) => line === 'run').length).toBe(5);
  const refusals = [await send('{}', {}, 'none'), await send('{'), await send('{}', { authorization: '' })];
  expect(refusals.map(({ status, headers }) => [status, headers.get('x-amzn-errortype')])).toEqual([
    [404, 'ResourceNotFoundException'],
    [400, 'InvalidRequestContentException'],
    [403, 'MissingAuthenticationTokenException'],
  ]);
});
