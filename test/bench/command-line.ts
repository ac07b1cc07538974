// Measures how long a person waits for the command line, the start of its process included.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { buildCommandLine } from '../../infra/cli/build.ts';
import { type Figure, median } from './figure.ts';
import { startQuietSandbox } from './quiet-sandbox.ts';
import { stock } from './stock.ts';

const root = join(import.meta.dirname, '../..');
const launcher = join(root, 'infra/cli/certrelay.mjs');
const repeats = 9;

/** Help, and the first line of `status` of one certificate against the sandbox: the function's process is
 *  there already, as Lambda keeps it between calls of a person. */
export async function benchCommandLine(): Promise<readonly Figure[]> {
  await buildCommandLine(join(root, 'dist/cli'));
  const sandbox = await startQuietSandbox();
  try {
    await stock(sandbox, 1);
    return [
      await figure('certrelay --help, to its end', 200, () => timeFirstLine(['--help'], {})),
      await figure('certrelay status, to its first line', 700, () =>
        timeFirstLine(['status'], sandbox.environment),
      ),
    ];
  } finally {
    await sandbox.stop();
  }
}

async function figure(what: string, target: number, measure: () => Promise<number>): Promise<Figure> {
  // The first one fills the cache of compiled code, and starts the function's process.
  await measure();
  const times: number[] = [];
  for (let turn = 0; turn < repeats; turn += 1) times.push(await measure());
  const [least, most] = [Math.min(...times), Math.max(...times)].map((ms) => (ms / 1000).toFixed(2));
  return {
    what,
    unit: 'ms',
    target,
    measured: median(times),
    note: `${repeats} runs, ${least} to ${most} s`,
  };
}

/** Milliseconds from the start of the process to the first bytes on its stdout. */
async function timeFirstLine(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const startedAt = performance.now();
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment };
  const child = spawn(process.execPath, [launcher, ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const ms = performance.now() - startedAt;
  child.stdout.resume();
  await once(child, 'close');
  return ms;
}
