// The command line on a terminal, as a person has one: a process with a pseudo-terminal.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exitCodes } from '../../infra/cli/errors.ts';
import { startSpinner } from '../../infra/cli/spinner.ts';
import { openTerminal as openOwnTerminal } from '../../infra/cli/terminal.ts';
import { watch } from '../../infra/cli/watch.ts';
import { findBuilt } from '../built.ts';
import { type OpenedTerminal, openTerminal } from '../terminal.ts';
import { keys } from './harness.ts';

/** Answers Lambda's Invoke when the test says so, and what the log has.
 *  @param refused A function that is refused then, while the others are not answered at all. */
async function startAws(report: object, refused?: string) {
  const asked: string[] = [];
  const release = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    request.resume();
    const isInvoke = request.url?.includes('/invocations') ?? false;
    asked.push(isInvoke ? 'Invoke' : String(request.headers['x-amz-target']));
    if (isInvoke) {
      const body = JSON.stringify({ ok: true, failures: [], ...report });
      if (refused === undefined) return void release.promise.then(() => response.end(body));
      if (!request.url?.includes(`-${refused}/`)) return;
      response.writeHead(403, { 'x-amzn-errortype': 'AccessDeniedException' });
      return void release.promise.then(() => response.end('{"Message":"not yours"}'));
    }
    const message = JSON.stringify({ message: 'certificate issued', certificate: 'shop' });
    response.end(JSON.stringify({ events: [{ timestamp: Date.now(), message }] }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    asked,
    answer: () => release.resolve(),
    env: { ...keys, AWS_ENDPOINT_URL: url, TZ: 'UTC' },
  };
}

async function open(
  line: string,
  env: Readonly<Record<string, string>>,
  { columns, shell = [] }: { readonly columns?: number; readonly shell?: readonly string[] } = {},
): Promise<OpenedTerminal> {
  const main = join((await findBuilt('cli')) ?? 'dist/cli', 'main.js');
  return openTerminal(
    [...shell, process.execPath, main, ...line.split(' ')],
    { HOME: '/nowhere', ...env },
    columns,
  );
}

const degraded = {
  installation: 'certrelay',
  summary: { Degraded: 1 },
  certificates: [{ name: 'shop', health: 'Degraded', reason: 'Expired', message: 'it has ended '.repeat(9) }],
};
const start = '\u001b[';
const red = `${start}31mDegraded${start}0m`;
const escapes = /\p{Cc}\[[\d;]*[mK]/gu;
/** Takes the line away that a spinner is on. */
const erased = `\r${start}K`;

describe('on a terminal', () => {
  it.each([80, 50])('of %d columns health is coloured, and no line is wider', async (columns) => {
    const { env, answer } = await startAws(degraded);
    answer();
    const terminal = await open('status', env, { columns });
    expect(await terminal.ended).toBe(1);
    expect(terminal.shown()).toContain(red);
    // A spinner, which a slow call has, goes back to the line's start.
    const lines = terminal.shown().replaceAll(escapes, '').split(/\r\n?/);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
  });

  it.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('with %o there is no colour', async (more) => {
    const { env, answer } = await startAws(degraded);
    answer();
    const terminal = await open('status', { ...env, ...more });
    await terminal.ended;
    expect(terminal.shown()).toContain('Degraded');
    expect(terminal.shown()).not.toContain('\u001b[3');
  });

  it('a call that lasts shows the time and what the log told last, and takes them away', async () => {
    const { env, answer } = await startAws({ certificates: [{ name: 'shop', outcome: 'issued' }] });
    const terminal = await open('renew shop --force', env);
    await terminal.waitFor(/issue … \d+ s/);
    await terminal.waitFor(/issue … \d+ s, certificate issued: shop/);
    answer();
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown()).toContain(`${erased}certificate/shop renewed\r\n`);
  });

  it('calls at the same time share a line, which goes with the last', async () => {
    const { env, answer } = await startAws({ certificates: [{ name: 'shop', decision: 'keep' }] });
    const terminal = await open('plan', env);
    await terminal.waitFor(/ issue, deploy … \d+ s/);
    answer();
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown()).toContain(`${erased}${start}1mNAME`);
  });

  it('an error has a line of its own, and nothing turns on although another call has no answer', async () => {
    const { env, answer } = await startAws({}, 'issue');
    const terminal = await open('plan', env);
    await terminal.waitFor(/ issue, deploy … \d+ s/);
    answer();
    expect(await terminal.ended).toBe(3);
    const words = 'AWS refused: not yours; ask for lambda:InvokeFunction on certrelay-dev-issue';
    expect(terminal.shown().endsWith(`${erased}${words}\r\n`), terminal.shown()).toBe(true);
  });

  it('what is watched has no spinner in it, which a file would get', async () => {
    const cancelling = new AbortController();
    const stream = { isTerminal: true, columns: 80, write: () => undefined };
    const terminal = { ...openOwnTerminal(), env: { TERM: 'xterm' }, out: stream, err: stream };
    const call = () => Promise.reject(new Error('nothing is called'));
    const readVocabulary = () => ({ commands: [], common: [] });
    const session = {
      options: { output: 'table' },
      terminal,
      signal: cancelling.signal,
      call,
      readVocabulary,
    } as const;
    const spinners: unknown[] = [];
    await watch(session, 1, async (watched) => {
      for (const one of [session, watched]) {
        const spinner = startSpinner('status', {
          terminal: one.terminal,
          isQuiet: false,
          signal: one.signal,
        });
        spinners.push(typeof spinner);
        spinner?.stop();
      }
      cancelling.abort();
      return exitCodes.fine;
    });
    expect(spinners).toEqual(['object', 'undefined']);
  });

  it('a name is asked for before harm is done: another one does nothing, and it goes on with the right one', async () => {
    const { env, answer, asked } = await startAws({ certificates: [{ name: 'shop', outcome: 'retiring' }] });
    answer();
    const wrong = await open('retire shop', env);
    await wrong.waitFor('type the name shop to go on: ');
    wrong.type('shap\r');
    expect(await wrong.ended).toBe(130);
    // The look alone: whether there is such a certificate.
    expect(asked).toEqual(['Invoke']);
    const right = await open('retire shop', env);
    await right.waitFor('type the name shop to go on: ');
    right.type('shop\r');
    expect(await right.ended).toBe(0);
    expect(right.shown()).toContain('certificate/shop retiring');
  });
});

describe('Ctrl-C', () => {
  /** What a terminal would still hide, or show in colour, after the command. */
  function expectClean(shown: string) {
    expect(shown).not.toContain('\u001b[?25l');
    expect(shown.lastIndexOf('\u001b[0m')).toBeGreaterThanOrEqual(shown.lastIndexOf('\u001b[3'));
  }

  it('during a call ends with 130, takes the spinner away, and says that the function runs on', async () => {
    const { env } = await startAws({});
    const terminal = await open('deploy', env);
    await terminal.waitFor('deploy … ');
    terminal.type('\u0003');
    expect(await terminal.ended).toBe(130);
    expect(terminal.shown()).toContain(`${erased}cancelled; certrelay-dev-deploy runs on\r\n`);
    expectClean(terminal.shown());
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('at the question, %s ends with 130, and nothing more is called', async (_, key) => {
    const { env, answer, asked } = await startAws({});
    answer();
    const shell = ['sh', '-c', '"$@"; code=$?; stty -a; exit $code', 'sh'];
    const terminal = await open('retire shop', env, { shell });
    await terminal.waitFor('to go on: ');
    terminal.type(key);
    expect(await terminal.ended).toBe(130);
    expect(asked).toEqual(['Invoke']);
    expect(terminal.shown()).toContain('\r\ncancelled\r\n');
    // As the shell had it: lines that can be seen and mended.
    expect(terminal.shown()).toMatch(/ icanon .* echo /s);
    expectClean(terminal.shown());
  });

  it('ends status --watch with 130', async () => {
    const { env, answer } = await startAws(degraded);
    answer();
    const terminal = await open('status --watch 3600', env);
    await terminal.waitFor(red);
    terminal.type('\u0003');
    expect(await terminal.ended).toBe(130);
    expectClean(terminal.shown());
  });
});
