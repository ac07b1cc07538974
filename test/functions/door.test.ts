// The door of every function: what is logged and thrown where an invocation fails, and what is closed.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { handler as dashboard } from '../../functions/dashboard.ts';
import { handler as deploy } from '../../functions/deploy.ts';
import { handler as discover } from '../../functions/discover.ts';
import { handler as exportHandler } from '../../functions/export.ts';
import { handler as importHandler } from '../../functions/import.ts';
import { handler as issue } from '../../functions/issue.ts';
import { handler as notify } from '../../functions/notify.ts';
import { handler as pause } from '../../functions/pause.ts';
import { handler as probe } from '../../functions/probe.ts';
import { handler as register } from '../../functions/register.ts';
import { handler as revoke } from '../../functions/revoke.ts';
import { defineFunction, defineQueueFunction } from '../../functions/runtime/define-function.ts';
import { beginInvocation } from '../../functions/runtime/invocation.ts';
import { handler as status } from '../../functions/status.ts';
import { asTold, PartError } from '../../lib/ports/errors.ts';
import { StoreError } from '../../lib/ports/store.ts';
import type { IssueRequest } from '../../lib/requests/issue-request.ts';
import type { DeployRequest, FunctionEvent } from '../../lib/requests/requests.ts';

const direct = {
  dashboard,
  deploy,
  discover,
  export: exportHandler,
  import: importHandler,
  issue,
  notify,
  pause,
  probe,
  revoke,
  status,
};
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

it.each([
  ['issue', { cerificates: ['shop'] }, 'unknown field "cerificates" (did you mean "certificates"?)'],
  ['revoke', { certificate: 'a', reason: 'superseded', reprot: true }, '"reprot" (did you mean "report"?)'],
  ['probe', { certificates: 'shop' }, 'certificates: must be a list of names, such as ["shop"]'],
  ['issue', { '\u001b[2J': 1 }, 'unknown field " [2J"'],
] as const)('the function %s says of the event %j what is meant', async (name, event, words) => {
  await expect(direct[name](event, context)).rejects.toThrow(words);
});

describe.each(Object.entries(direct))('the function %s, asked for a report,', (name, handler) => {
  it('answers with what is wrong with its event, and leaves the line all the same', async () => {
    const message = expect.stringContaining('unknown field "nonsense"');
    await expect(handler({ nonsense: true, report: true }, context)).resolves.toEqual({
      ok: false,
      failures: [{ what: name, code: 'Event', message }],
    });
    expect(logged()).toEqual([
      expect.objectContaining(failed('Event', expect.stringContaining('"nonsense"'))),
    ]);
  });

  it('answers with what is wrong with its settings', async () => {
    vi.stubEnv('LOG_LEVEL', 'loud');
    const failures = [{ what: name, code: 'Settings', message: expect.stringContaining('LOG_LEVEL') }];
    await expect(handler({ report: true }, context)).resolves.toEqual({ ok: false, failures });
  });

  it('fails if "report" is neither true nor false', async () => {
    await expect(handler({ report: 'yes' }, context)).rejects.toThrow(
      `${name}: Event: invalid event: report: must be true or false`,
    );
  });
});

describe('an event that is text', () => {
  const seen: unknown[] = [];
  const handler = defineFunction({
    parse: (event) => event,
    connect: () => undefined,
    run: async (event) => ({ answer: seen.push(event) }),
  });
  beforeEach(() => void seen.splice(0));

  const event = { certificates: ['shop'], reason: 'it said "no"\n' };
  it.each([
    ['as JSON', JSON.stringify(event)],
    [
      'copied out of a printed answer, with its backslashes',
      JSON.stringify(JSON.stringify(event)).slice(1, -1),
    ],
  ])('is read %s', async (_how, text) => {
    await handler(text, context);
    expect(seen).toEqual([event]);
  });

  it.each([
    '{certificates:[shop]}',
    '["shop"]',
    'null',
    `\u001b[2J${'x'.repeat(9_000)}`,
  ])('and nothing of that is refused, with how to quote it: %j', async (text) => {
    const error: unknown = await handler(text, context).catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: 'Event',
      message: expect.stringMatching(/--data '\{"certificates":/),
    });
    expect(String(error)).not.toContain('\u001b');
    expect(String(error).length).toBeLessThan(400);
  });
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
      run,
    });
  beforeEach(() => void ended.splice(0));

  it('is answered once all is closed, and what does not close changes nothing', async () => {
    await expect(define(async () => ({ answer: 'done' }))({}, context)).resolves.toBe('done');
    expect([ended, lines]).toEqual([['closed'], []]);
  });

  it('that is thrown closes all, and is logged with its code and thrown on', async () => {
    const error = new StoreError('Denied', 'AWS denied secretsmanager:ListSecrets');
    const thrown = { errors: [error], code: 'Denied', name: 'StoreError' };
    await expect(define(() => Promise.reject(error))({}, context)).rejects.toMatchObject(thrown);
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
    const run = async () => ({ answer: 'done', failures: [new PartError('lab', new Error('no answer'))] });
    await expect(define(run)({}, context)).rejects.toThrow(/^lab: Unexpected: no answer$/);
    expect([ended, lines]).toEqual([['closed'], []]);
  });

  describe('for a schedule', () => {
    const schedule = { schedule: true };
    const told = asTold(new PartError('shop', new Error('no TXT record')));
    const silent = new PartError('lab', new Error('no right'));
    const end = (...failures: readonly Error[]) => define(async () => ({ answer: 'done', failures }));

    it('is fine with failures that `status` tells, and is the same to the function', async () => {
      await expect(end(told)(schedule, context)).resolves.toBe('done');
      const asked: unknown[] = [];
      const echo = defineFunction({
        parse: (event) => void asked.push(event),
        connect: () => undefined,
        run: async () => ({ answer: 'done' }),
      });
      await echo(schedule, context);
      expect(asked).toEqual([{}]);
    });

    it('fails with those that it does not tell, and names no others', async () => {
      await expect(end(told, silent)(schedule, context)).rejects.toThrow(/^lab: Unexpected: no right$/);
    });

    it('fails with whatever is thrown', async () => {
      const run = define(() => Promise.reject(told));
      await expect(run(schedule, context)).rejects.toThrow('no TXT record');
      expect(logged()).toHaveLength(1);
    });

    it('fails for people as before', async () => {
      await expect(end(told)({}, context)).rejects.toThrow(/^shop: Unexpected: no TXT record$/);
      await expect(end(told)({ schedule: false }, context)).rejects.toThrow('shop');
    });

    it.each([
      [{ schedule: 'yes' }, 'schedule: must be true or false'],
      [{ schedule: true, report: true }, 'set only one of them'],
    ])('is refused as %j', async (event, words) => {
      await expect(end()(event, context)).rejects.toMatchObject({
        code: 'Event',
        message: expect.stringContaining(words),
      });
    });
  });
});

it('a batch has connections of its own for each pass, and closes them', async () => {
  const events: string[] = [];
  const handler = defineQueueFunction({
    name: 'deploy',
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

it('a function’s inventory has its installation’s prefix in place of {prefix}', async () => {
  const file = join(folder, 'prefixed.yaml');
  await writeFile(file, 'clusters: { lab: { kubeconfig: { secret: "{prefix}/clusters/lab" } } }\n');
  vi.stubEnv('CERTRELAY_INVENTORY', file);
  vi.stubEnv('CERTRELAY_PREFIX', 'certrelay-prod');
  const { inventory } = await beginInvocation(context);
  expect(inventory.clusters).toEqual({ lab: { kubeconfig: { secret: 'certrelay-prod/clusters/lab' } } });
});
