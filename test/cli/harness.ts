// Runs commands of the command line: in this process with a terminal as a test wants it, or as a process.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runCommandLine } from '../../infra/cli/program.ts';
import type { TerminalStream } from '../../infra/cli/terminal.ts';
import { findBuilt } from '../built.ts';

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The same, and both streams as a terminal shows them. */
export interface ShownEnd extends Ended {
  readonly shown: string;
}

/** The terminal of a command. */
export interface Situation {
  /** Variables of its environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Columns of a terminal; absent: there is none. */
  readonly columns?: number;
  /** What a person answers to each question; absent: nobody can be asked. */
  readonly answer?: string;
  readonly signal?: AbortSignal;
  /** Where the caller stands; absent: in the checkout. */
  readonly cwd?: string;
  /** The clock of its machine, in place of the right one. */
  readonly now?: () => Date;
}

/** Runs a command in this process. */
export async function certrelay(line: string, situation: Situation): Promise<ShownEnd> {
  return certrelayWith(
    line.split(' ').filter((word) => word !== ''),
    situation,
  );
}

/** As `certrelay`, with arguments that have spaces. */
export async function certrelayWith(args: readonly string[], situation: Situation): Promise<ShownEnd> {
  const { env, columns, answer, signal = new AbortController().signal, now = () => new Date() } = situation;
  const { cwd = process.cwd() } = situation;
  const written = { out: '', err: '', shown: '' };
  const stream = (name: 'out' | 'err'): TerminalStream => ({
    isTerminal: columns !== undefined,
    columns,
    write: (text) => {
      written[name] += text;
      written.shown += text;
    },
  });
  const terminal = {
    env,
    cwd,
    out: stream('out'),
    err: stream('err'),
    isInteractive: answer !== undefined,
    async ask(question: string) {
      written.err += question;
      return answer ?? '';
    },
    now,
    leave: () => undefined,
  };
  const code = await runCommandLine(args, terminal, signal);
  return { code, ...written };
}

/** Runs the bundle as a process, without a terminal.
 *  @param onStart Is given ways to send it a signal, and what it reads. */
export async function runProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onStart: (kill: (signal: NodeJS.Signals) => void, write: (text: string) => void) => void = () => undefined,
): Promise<Ended> {
  const bundle = await findBuilt('cli');
  const main = join(bundle ?? 'dist/cli', 'main.js');
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env: { PATH: process.env.PATH, HOME: '/nowhere', ...env } },
      (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
    onStart(
      (signal) => void child.kill(signal),
      (text) => child.stdin?.end(text),
    );
  });
}

/** What a Lambda API that only a test knows answers to each call. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Starts a Lambda API whose answers are given by the function's name; what it is asked is in `events`. */
export async function startScriptedLambda(answer: (name: string) => ScriptedAnswer | undefined): Promise<{
  readonly env: Readonly<Record<string, string>>;
  readonly events: unknown[];
  stop(): void;
}> {
  const events: unknown[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const name = /functions\/[^/]*-(\w+)\/invocations/.exec(request.url ?? '')?.[1] ?? '';
      events.push({ name, url: request.url, event: JSON.parse(body || '{}') });
      const scripted = answer(name);
      // Nothing is answered: the call lasts.
      if (scripted) response.writeHead(scripted.status ?? 200, scripted.headers).end(scripted.body);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: { ...keys, AWS_ENDPOINT_URL_LAMBDA: url },
    events,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Credentials that nobody checks. */
export const keys = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIASANDBOXOPERATOR',
  AWS_SECRET_ACCESS_KEY: 'sandbox',
} as const;

/** Starts such an API for one test, which answers every call well, with these fields. */
export async function answering(answer: object): ReturnType<typeof startScriptedLambda> {
  const body = JSON.stringify({ ok: true, failures: [], ...answer });
  const lambda = await startScriptedLambda(() => ({ body }));
  onTestFinished(() => lambda.stop());
  return lambda;
}
