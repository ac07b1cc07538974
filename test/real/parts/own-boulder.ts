// Starts a Boulder for one test file, with rate limits, features and DNS of its own, by the recipe of
// `BOULDER_RECIPE`.
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Boulder } from './boulder.ts';
import { makeDirectory, removeDirectory } from './process.ts';

const run = promisify(execFile);
/** So many ports a Boulder takes, one after the other. */
const portCount = 21;

/** Who answers for which names, `127.0.0.1:port` by zone; `''` is for all others. */
export type Servers = Readonly<Record<string, string>>;

export interface BoulderOptions {
  /** Let's Encrypt's own, the same refilled within a minute, or none. */
  readonly limits: 'prod' | 'fast' | 'none';
  readonly dns: Servers;
  /** For its three remote perspectives, where these see something else. */
  readonly remoteDns?: readonly [Servers, Servers, Servers];
  /** `async`: finalize answers before there is a certificate. `persist`: dns-persist-01. */
  readonly features?: readonly ('async' | 'persist')[];
}

export interface OwnBoulder extends Boulder {
  /** PEM of the roots that it issues under. */
  readonly roots: string;
  /** Reaches into it, as the recipe's `ctl` does, and gives what that prints. */
  ctl(...words: readonly string[]): Promise<string>;
  /** May be called twice. */
  stop(): Promise<void>;
}

/** Why no Boulder can be started here, for a suite that skips itself and says so; `undefined` where one
 *  can. */
export const boulderLacks = process.env.BOULDER_RECIPE
  ? undefined
  : 'set BOULDER_RECIPE to the folder of its up, down and ctl';

/** Starts one with fresh data; it ends with `stop()`, or with the process that started it, however that one
 *  ends.
 *  @throws Error with what `up` printed. */
export async function startBoulder({
  limits,
  dns,
  remoteDns = [{}, {}, {}],
  features = [],
}: BoulderOptions): Promise<OwnBoulder> {
  const recipe = process.env.BOULDER_RECIPE;
  if (!recipe) throw new Error(boulderLacks);
  const directory = await makeDirectory('boulder');
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    REAL_PARTS_DIR: process.env.REAL_PARTS_DIR,
    BOULDER_RUN_DIR: join(directory, 'run'),
    BOULDER_PORT: String(await freeRow()),
    BOULDER_DNS: listServers(dns),
    BOULDER_REMOTE_DNS: remoteDns.map((servers) => listServers({ ...dns, ...servers })).join(';'),
    BOULDER_FEATURES: features.join(),
  };
  // Holds the other end of a pipe from this process: when that closes, by whatever cause, Boulder goes down.
  const watcher = spawn('/bin/sh', ['-c', 'cat >/dev/null; exec "$0"', join(recipe, 'down')], {
    detached: true,
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const gone = once(watcher, 'exit');
  const stop = async () => {
    watcher.stdin.end();
    await gone;
    await removeDirectory(directory);
  };
  try {
    await run(join(recipe, 'up'), [limits], { env });
    const told = readVariables(await readFile(join(directory, 'run/env'), 'utf8'));
    const rootFiles = (told.get('BOULDER_ROOTS') ?? '').split(':');
    return {
      directory: told.get('BOULDER_DIRECTORY') ?? '',
      caFile: told.get('BOULDER_DIRECTORY_CA') ?? '',
      roots: (await Promise.all(rootFiles.map((file) => readFile(file, 'utf8')))).join('\n'),
      ctl: async (...words) => (await run(join(recipe, 'ctl'), words, { env })).stdout,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function listServers(servers: Servers): string {
  return Object.entries(servers)
    .map(([zone, address]) => (zone === '' ? address : `${zone}=${address}`))
    .join();
}

function readVariables(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** The first of as many free ports in a row as it takes, below those that the system hands out by itself. */
async function freeRow(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const ports = Array.from({ length: portCount }, (_, index) => first + index);
    const free = await Promise.all(ports.flatMap((port) => [isFreeForTcp(port), isFreeForUdp(port)]));
    if (!free.includes(false)) return first;
  }
}

function isFreeForTcp(port: number): Promise<boolean> {
  const listener = createServer();
  return new Promise((resolve) => {
    listener.once('error', () => resolve(false));
    listener.listen(port, '127.0.0.1', () => listener.close(() => resolve(true)));
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
