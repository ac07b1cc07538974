// The door of every function: what is logged and thrown where an invocation fails, and what is closed.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { handler as deploy } from '../../functions/deploy.ts';
import { handler as discover } from '../../functions/discover.ts';
import { handler as exportHandler } from '../../functions/export.ts';
import { handler as importHandler } from '../../functions/import.ts';
import { handler as issue } from '../../functions/issue.ts';
import { handler as pause } from '../../functions/pause.ts';
import { handler as probe } from '../../functions/probe.ts';
import { handler as register } from '../../functions/register.ts';
import { handler as revoke } from '../../functions/revoke.ts';
import { defineFunction, defineQueueFunction } from '../../functions/runtime/define-function.ts';
import { handler as status } from '../../functions/status.ts';
import { StoreError } from '../../lib/ports/store.ts';
import type { DeployRequest, FunctionEvent, IssueRequest } from '../../lib/requests/requests.ts';

const direct = { deploy, discover, exportHandler, importHandler, issue, pause, probe, revoke, status };
const all = Object.entries({ ...direct, register });
const context = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 };
const empty = 'certificates: []\n';

let folder: string;
const lines: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certrelay-door-'));
  await writeFile(join(folder, 'empty.yaml'), empty);
  await writeFile(join(folder, 'broken.yaml'), 'certificates: [{ name: shop }]\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(() => {
  lines.length = 0;
  vi.stubEnv('CERTRELAY_INVENTORY', join(folder, 'empty.yaml'));
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  }
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const logged = (): unknown[] => lines.map((line) => JSON.parse(line));
const failed = (code: string, problem: unknown) => ({
  level: 'ERROR',
  message: 'invocation failed',
  service: 'certrelay',
  timestamp: expect.any(String),
  requestId: 'request-1',
  code,
  problem,
});

describe.each(all)('the function %s', (_name, handler) => {
  it.each([
    ['LOG_LEVEL', () => 'loud', 'Settings', /LOG_LEVEL must be one of/],
    ['CERTRELAY_PREFIX', () => 'no spaces', 'Settings', /CERTRELAY_PREFIX must be the start of/],
    ['CERTRELAY_INVENTORY', () => '/nowhere/at/all.yaml', 'Inventory', /all\.yaml cannot be read/],
    ['CERTRELAY_INVENTORY', () => join(folder, 'broken.yaml'), 'Inventory', /domains/],
  ])('fails for a bad %s, and leaves one line that says so by code and words', async (name, value, code, words) => {
    vi.stubEnv(name, value());
    await expect(handler({}, context)).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
    expect(logged()).toEqual([expect.objectContaining(failed(code, expect.stringMatching(words)))]);
  });
});

it.each(
  Object.entries(direct),
)('the function %s fails for an event it cannot read, by the same line', async (_name, handler) => {
  await expect(handler({ nonsense: true }, context)).rejects.toMatchObject({ code: 'Event' });
  expect(logged()).toEqual([expect.objectContaining(failed('Event', expect.stringContaining('"nonsense"')))]);
});

describe('what a run does', () => {
  const ended: string[] = [];
  const define = (run: () => Promise<{ readonly answer: string; readonly failures?: readonly Error[] }>) =>
    defineFunction({
      parse: (event) => event,
      connect(_invocation, closing) {
        closing.push(async () => Promise.reject(new Error('it does not close')));
        closing.push(() => void ended.push('closed'));
        return undefined;
      },
      run: async () => ({ ...(await run()), failed: 'parts' }),
    });
  beforeEach(() => void ended.splice(0));

  it('is answered once all is closed, and what does not close changes nothing', async () => {
    await expect(define(async () => ({ answer: 'done' }))({}, context)).resolves.toBe('done');
    expect([ended, lines]).toEqual([['closed'], []]);
  });

  it('that is thrown closes all, and is logged with its code and thrown on', async () => {
    const error = new StoreError('Denied', 'AWS denied secretsmanager:ListSecrets');
    await expect(define(() => Promise.reject(error))({}, context)).rejects.toBe(error);
    expect(ended).toEqual(['closed']);
    expect(logged()).toEqual([expect.objectContaining(failed('Denied', error.message))]);
  });

  it('that is thrown and none of ours has the code Unexpected', async () => {
    await expect(define(() => Promise.reject(new TypeError('x is undefined')))({}, context)).rejects.toThrow(
      'x',
    );
    expect(logged()).toEqual([expect.objectContaining(failed('Unexpected', 'x is undefined'))]);
  });

  it('with failures, each of which it has logged, throws them once and logs no other line', async () => {
    const run = async () => ({ answer: 'done', failures: [new Error('no answer')] });
    await expect(define(run)({}, context)).rejects.toThrow('parts that failed: 1\n  no answer');
    expect([ended, lines]).toEqual([['closed'], []]);
  });
});

it('a batch has connections of its own for each pass, and closes them', async () => {
  const events: string[] = [];
  const handler = defineQueueFunction({
    parse: (): FunctionEvent<IssueRequest & DeployRequest> => ({
      kind: 'batch',
      messages: [
        { id: 'm1', request: { certificates: ['a'] } },
        { id: 'm2', request: { clusters: ['lab'] } },
      ],
    }),
    connect(_invocation, closing) {
      events.push('open');
      closing.push(() => void events.push('close'));
      return undefined;
    },
    run: async () => ({ answer: 'direct' }),
    async work(request) {
      events.push(JSON.stringify(request));
      return new Map([['a', new Error('it failed')]]);
    },
  });
  await expect(handler({}, context)).resolves.toEqual({
    batchItemFailures: [{ itemIdentifier: 'm1' }, { itemIdentifier: 'm2' }],
  });
  expect(events).toEqual([
    'open',
    '{"certificates":["a"]}',
    'close',
    'open',
    '{"clusters":["lab"]}',
    'close',
  ]);
});
