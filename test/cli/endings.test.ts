// How a command ends when AWS cannot be asked, refuses, or answers something odd.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { CommandError, exitCodes } from '../../infra/cli/errors.ts';
import type { CallManner } from '../../infra/cli/session.ts';
import { openTerminal } from '../../infra/cli/terminal.ts';
import { watch } from '../../infra/cli/watch.ts';
import { findBuilt } from '../built.ts';
import { answering, certrelay, runProcess, type ScriptedAnswer, startScriptedLambda } from './harness.ts';

let stop = () => {};
afterEach(() => stop());

async function scripted(answer: (name: string) => ScriptedAnswer | undefined) {
  const lambda = await startScriptedLambda(answer);
  stop = () => lambda.stop();
  return lambda;
}

/** Runs `status` with an open file as stdout, or with a pipe that nobody reads. */
async function writeTo(stdout: number | 'closed', env: Readonly<Record<string, string>>) {
  const main = join((await findBuilt('cli')) ?? 'dist/cli', 'main.js');
  const child = spawn(process.execPath, [main, 'status', '-o', 'json'], {
    env: { PATH: process.env.PATH, HOME: '/nowhere', ...env },
    stdio: ['ignore', stdout === 'closed' ? 'pipe' : stdout, 'pipe'],
  });
  child.stdout?.destroy();
  let err = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const [code] = await once(child, 'close');
  return { code, err };
}

const refusal = (type: string, status: number): ScriptedAnswer => ({
  status,
  headers: { 'x-amzn-errortype': type, 'content-type': 'application/json' },
  body: JSON.stringify({ Message: `words of AWS\u001b[31m about ${type}` }),
});

describe('exit codes', () => {
  it.each([
    ['ResourceNotFoundException', 404, 3, 'there is no function certrelay-dev-status in eu-central-1'],
    ['AccessDeniedException', 403, 3, 'lambda:InvokeFunction on certrelay-dev-status'],
    ['TooManyRequestsException', 429, 3, 'call it again later'],
    ['ExpiredTokenException', 403, 4, 'sign in to AWS'],
    ['UnrecognizedClientException', 403, 4, 'sign in to AWS'],
  ])('%s with %d ends with %d, and says what to do', async (type, status, code, words) => {
    const { env } = await scripted(() => refusal(type, status));
    const ended = await certrelay('status', { env });
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).toContain(words);
    expect(ended.err).not.toContain('\u001b');
  });

  it('a function that ran out of time ends with 3', async () => {
    const { env } = await scripted(() => ({
      headers: { 'x-amz-function-error': 'Unhandled' },
      body: JSON.stringify({
        errorType: 'Sandbox.Timedout',
        errorMessage: 'Task timed out after 900.00 seconds',
      }),
    }));
    const ended = await certrelay('deploy', { env });
    expect(ended.code).toBe(3);
    expect(ended.err).toContain('Lambda ended deploy: Task timed out after 900.00 seconds');
  });

  it('an endpoint that nobody listens on ends with 5', async () => {
    const lambda = await startScriptedLambda(() => undefined);
    lambda.stop();
    const ended = await certrelay('status', { env: lambda.env });
    expect(ended.code).toBe(5);
    expect(ended.err).toMatch(/cannot be reached \(ECONNREFUSED\)/);
  });

  it('no credentials end with 4', async () => {
    const { code, err } = await runProcess(['status'], {
      AWS_REGION: 'eu-central-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    expect({ code, err }).toEqual({ code: 4, err: expect.stringContaining('no credentials that AWS takes') });
  });

  it('Ctrl-C ends a call that lasts with 130, and says that the function runs on', async () => {
    let kill = (_signal: NodeJS.Signals) => {};
    const { env } = await scripted(() => {
      kill('SIGINT');
      return undefined;
    });
    const ended = await runProcess(['deploy'], env, (sends) => {
      kill = sends;
    });
    expect(ended.code).toBe(130);
    expect(ended.err).toContain('cancelled; certrelay-dev-deploy runs on');
  });
});

describe('the first error of calls at the same time', () => {
  it.each([
    ['plan', 'issue'],
    ['plan', 'deploy'],
    ['why shop', 'status'],
    ['why issuer/default', 'issue'],
    ['list', 'retire'],
  ])('of %s, if %s is refused, ends the command, although nothing else is answered', async (line, name) => {
    const { env } = await scripted((called) =>
      called === name ? refusal('AccessDeniedException', 403) : undefined,
    );
    const ended = await runProcess(line.split(' '), env);
    expect(ended).toEqual({ code: 3, out: '', err: expect.stringMatching(`^AWS refused: .*-${name}\n$`) });
  });

  it('ends register, whose secret only a function that hangs could tell', async () => {
    const { env } = await scripted(() => undefined);
    const gone = await startScriptedLambda(() => undefined);
    gone.stop();
    const url = gone.env.AWS_ENDPOINT_URL_LAMBDA ?? '';
    const more = { AWS_ENDPOINT_URL_CLOUDFORMATION: url, AWS_ENDPOINT_URL_SECRETS_MANAGER: url };
    const args = ['register', 'shop', '--domain', 'shop.example.com'];
    const ended = await runProcess(args, { ...env, ...more });
    expect(ended).toMatchObject({
      code: 5,
      err: expect.stringContaining('cannot be reached (ECONNREFUSED)'),
    });
  });

  it('ends the other calls of a round of --watch before the next round', async () => {
    let rounds = 0;
    const cancelling = new AbortController();
    const closed: string[] = [];
    const stream = { isTerminal: false, columns: undefined, write: () => undefined };
    const terminal = { ...openTerminal(), out: stream, err: stream };
    const session = {
      options: { output: 'table' },
      terminal,
      signal: cancelling.signal,
      readVocabulary: () => ({ commands: [], common: [] }),
      async call(name: string, _event: object, { signal }: CallManner) {
        if (name === 'issue') throw new CommandError('refused', 'AWS refused');
        signal?.addEventListener('abort', () => closed.push(`round ${rounds}`));
        return new Promise<never>(() => undefined);
      },
    } as const;
    await watch(session, 1, async (round) => {
      rounds += 1;
      if (rounds === 2) cancelling.abort();
      const calls = (['deploy', 'issue'] as const).map((name) => round.call(name, {}, { isRead: true }));
      await Promise.all(calls);
      return exitCodes.fine;
    });
    expect(closed).toEqual(['round 1', 'round 2']);
  });
});

describe('which function is called', () => {
  it('in the region of the profile: a function that is not there is told with it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'certrelay-profile-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'config');
    await writeFile(file, '[default]\nregion = ap-south-2\n');
    const { env } = await scripted(() => refusal('ResourceNotFoundException', 404));
    const { AWS_REGION: _, ...rest } = env;
    const ended = await runProcess(['status'], { ...rest, AWS_CONFIG_FILE: file });
    expect(ended.err).toContain('no function certrelay-dev-status in ap-south-2');
  });

  it.each([
    ['status --stage prod --region us-east-1', 'certrelay-prod-status'],
    ['status --installation certrelay-blue', 'certrelay-blue-status'],
    ['status --installation certrelay', 'certrelay-dev-status'],
  ])('%s calls %s', async (line, name) => {
    const { env, events } = await scripted(() => ({ body: '{"ok":true,"failures":[]}' }));
    await certrelay(line, { env });
    expect(events).toMatchObject([{ url: expect.stringContaining(`/${name}/`), event: { report: true } }]);
  });

  it('a call that changes something is not sent twice, and one that only looks is', async () => {
    const { env, events } = await scripted(() => refusal('ServiceException', 500));
    await certrelay('deploy', { env });
    expect(events).toHaveLength(1);
    await certrelay('deploy --dry-run', { env });
    expect(events.length).toBeGreaterThan(2);
  });
});

describe('an answer', () => {
  it('that cannot be written ends with 1, and one whose reader has gone with 0', async () => {
    const { env } = await scripted(() => ({ body: '{"ok":true,"failures":[],"certificates":[]}' }));
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const lost = await writeTo(full, env);
    expect(lost).toEqual({ code: 1, err: expect.stringContaining('cannot be written: ') });
    expect(await writeTo('closed', env)).toEqual({
      code: 0,
      err: expect.not.stringContaining('cannot be written'),
    });
  });

  it('as YAML has no unseen characters in its keys', async () => {
    const { env } = await scripted(() => ({ body: JSON.stringify({ ok: true, 'k\u202e\u2028': 'v' }) }));
    const { out } = await certrelay('status -o yaml', { env });
    expect(out).toMatch(/k {2}.*v/);
  });

  const hostile = 'bad\u001b[2J\r\nname\u202e\u0007\u009b31m';

  it('with hostile texts shows none of what would control a terminal, in any format', async () => {
    const { env } = await scripted(() => ({
      body: JSON.stringify({
        ok: false,
        summary: { Degraded: 1 },
        installation: hostile,
        certificates: [
          { name: hostile, health: 'Degraded', reason: hostile, message: hostile, command: hostile },
        ],
        clusters: [{ name: hostile, health: hostile }],
        failures: [{ what: hostile, code: hostile, message: hostile, command: hostile }],
      }),
    }));
    for (const format of ['table', 'wide', 'json', 'yaml']) {
      const { out, err, code } = await certrelay(`status -o ${format}`, { env });
      expect(code).toBe(1);
      expect(`${out}${err}`, format).toMatch(/bad/);
      expect(`${out}${err}`.replaceAll('\n', ''), format).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
    const { out } = await certrelay('status -o json', { env });
    expect(JSON.parse(out).certificates[0].name).toBe(hostile);
  });

  it.each([
    '',
    'null',
    '[]',
    '"text"',
    '{}',
    '{"ok": "yes"}',
  ])('that is no report (%s) ends with 3, and says what to do', async (body) => {
    const { env } = await scripted(() => ({ body }));
    for (const line of ['status', 'plan', 'renew', 'deploy']) {
      const ended = await certrelay(line, { env });
      expect(ended).toMatchObject({ code: 3, out: '', err: expect.stringContaining('update') });
    }
  });

  it.each(
    ['5', '[null, 7, {"name": 1}]'].map((certificates) => `{"ok": true, "certificates": ${certificates}}`),
  )('of another form (%s) breaks nothing', async (body) => {
    const { env } = await scripted(() => ({ body }));
    for (const line of ['status', 'plan', 'renew', 'deploy'])
      expect((await certrelay(line, { env, columns: 60 })).code).toBe(0);
  });

  it('that is not JSON ends with 3', async () => {
    const { env } = await scripted(() => ({ body: '<html>' }));
    expect(await certrelay('status', { env })).toMatchObject({ code: 3, out: '' });
  });
});

it('shows on a terminal that a call lasts, and takes that away again', async () => {
  const cancelling = new AbortController();
  const { env } = await scripted(() => undefined);
  const running = certrelay('deploy', { env, columns: 80, signal: cancelling.signal });
  await new Promise((resolve) => setTimeout(resolve, 900));
  cancelling.abort();
  const { err, out } = await running;
  expect(out).toBe('');
  expect(err).toContain('deploy … 0 s');
  expect(err).toContain('\r\u001b[Kcancelled');
});

it.each([
  'status',
  'status shop',
  'status cluster/lab',
])('%s says nothing of what could not be read', async (command) => {
  const failures = [{ what: 'status', code: 'Throttled', message: 'AWS throttled the list' }];
  const ended = await certrelay(command, await answering({ ok: false, failures }));
  expect(ended).toMatchObject({ code: 1, out: '', err: 'status: Throttled: AWS throttled the list\n' });
});
