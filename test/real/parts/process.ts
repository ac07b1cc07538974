// Runs one real server as a child process: starts it, waits until it is ready, stops it for certain.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server as Listener } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What to run and how to tell that it is ready. */
export interface ServerOptions {
  /** For messages and for the log's name, unique within the directory. */
  readonly name: string;
  /** Absolute path of the program. */
  readonly command: string;
  readonly args: readonly string[];
  /** Where it runs and where `<name>.log` is written; also its HOME. */
  readonly directory: string;
  /** Its whole environment besides PATH and HOME: nothing of the test's own is passed on. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Asked every 50 ms until it resolves. It rejects while the server is not ready, with the reason. */
  readonly probe: () => Promise<unknown>;
  /** How long it may take to be ready. 60 s if not given. */
  readonly readyWithinMs?: number;
}

/** A running server. */
export interface RunningServer {
  readonly pid: number;
  readonly logFile: string;
  /** SIGTERM, and SIGKILL if it is still there after 5 s. Resolves when it is gone. May be called twice. */
  stop(): Promise<void>;
}

/** Starts a server and resolves when it is ready. It ends with `stop()`, or with the process that started
 *  it, however that one ends; it does not keep that process alive.
 *  @throws Error with the log's last lines when it ends early or is not ready in time; it is stopped then. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const logFile = join(options.directory, `${options.name}.log`);
  const log = openSync(logFile, 'a');
  // detached: a process group of its own, so that an interrupt in a terminal reaches only the test.
  const child = spawn(options.command, options.args, {
    cwd: options.directory,
    detached: true,
    env: { PATH: process.env.PATH, HOME: options.directory, ...options.environment },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `status ${code}`}`));
  });
  if (child.pid === undefined) throw new Error(`${options.name} did not start: ${await ended}`);
  child.unref();

  const pid = child.pid;
  const watcher = watch(pid);
  const gone = ended.then(() => {
    endGroup(pid);
    endGroup(watcher.pid);
  });
  const server = { pid, logFile, stop: () => stop(child, gone) };
  const problem = await untilReady(options, ended);
  if (problem === undefined) return server;
  await server.stop();
  throw new Error(`${options.name} did not become ready: ${problem}\n${lastLines(logFile)}`);
}

/** A new empty directory for the data of servers. Remove it with `removeDirectory` after they stopped. */
export function makeDirectory(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `certrelay-${name}-`));
}

/** Removes a directory made by `makeDirectory` with all it holds. May be called twice. */
export function removeDirectory(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** So many different TCP ports of 127.0.0.1 that are free now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const listeners: Listener[] = [];
  try {
    // All are held until the last is known, else the same one could come twice.
    for (let i = 0; i < count; i++) listeners.push(await listen());
    return listeners.map(portOf);
  } finally {
    await Promise.all(listeners.map((listener) => new Promise((closed) => listener.close(closed))));
  }
}

/** One TCP port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  const listener = await listen();
  const port = portOf(listener);
  await new Promise((closed) => listener.close(closed));
  return port;
}

async function untilReady(options: ServerOptions, ended: Promise<string>): Promise<string | undefined> {
  const limitMs = options.readyWithinMs ?? 60_000;
  let refusal = 'no answer';
  let problem: string | undefined;
  const late = sleep(limitMs, undefined, { ref: false });
  const failed = Promise.race([ended, late]).then((text) => {
    problem = text ?? `not within ${limitMs / 1000} s; the last answer was: ${refusal}`;
    return false;
  });
  while (problem === undefined) {
    const asked = options.probe().then(
      () => true,
      (error: unknown) => {
        refusal = String(error);
        return false;
      },
    );
    // Raced, because a probe may hang.
    if ((await Promise.race([asked, failed])) && problem === undefined) return undefined;
    await sleep(50);
  }
  return problem;
}

// A shell that holds the other end of a pipe from this process. When this process is gone, by whatever
// cause, the pipe closes, and the shell ends the server's process group.
function watch(pid: number): ChildProcess {
  const script = 'cat >/dev/null; kill -s KILL -- "-$1" 2>/dev/null';
  const watcher = spawn('/bin/sh', ['-c', script, 'watch', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => undefined);
  watcher.unref();
  const pipe: unknown = watcher.stdin;
  if (hasUnref(pipe)) pipe.unref();
  return watcher;
}

async function stop(child: ChildProcess, gone: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.ref();
    child.kill('SIGTERM');
    const given = new AbortController();
    const late = sleep(5_000, 'late', { signal: given.signal }).catch(() => undefined);
    if ((await Promise.race([gone, late])) === 'late') child.kill('SIGKILL');
    given.abort();
  }
  await gone;
}

// The leader, and what it started itself and left behind.
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing was left of it.
  }
}

function lastLines(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
}

function listen(): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const listener = createServer();
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', () => resolve(listener));
  });
}

function portOf(listener: Listener): number {
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('a listener without a port');
  return address.port;
}

function hasUnref(value: unknown): value is { unref(): void } {
  return typeof value === 'object' && value !== null && 'unref' in value;
}
