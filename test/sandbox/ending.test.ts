// When a sandbox that a person has started ends by itself, and when it goes on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { openTerminal } from '../terminal.ts';
import { findStarters, onEnd } from './ending.ts';

const part = ['run', '--silent', 'sandbox', '--', '--only', 'sts'];

// bash gives its process to the command, dash stands between npm and the sandbox.
test.each([
  ['SIGTERM', 'sh'],
  ['SIGKILL', 'sh'],
  ['SIGTERM', 'bash'],
  ['SIGKILL', 'bash'],
] as const)('it ends after a %s of npm, whose shell is %s', async (signal, shell) => {
  const npm = spawn('npm', part, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, npm_config_script_shell: shell },
    // A group of its own, so that the test can end all of it.
    detached: true,
  });
  onTestFinished(() => endGroup(npm.pid));
  let printed = '';
  for await (const chunk of npm.stdout.iterator({ destroyOnReturn: false })) {
    printed += String(chunk);
    if (printed.includes('is up')) break;
  }
  const [, url = ''] = /AWS_ENDPOINT_URL_STS='([^']+)'/.exec(printed) ?? [];
  await fetch(url);
  npm.stdout.resume();
  const closed = once(npm.stdout, 'close');
  npm.kill(signal);
  // Closed by the last that writes to it: the sandbox.
  await closed;
  await expect(fetch(url)).rejects.toThrow('fetch failed');
});

test('it ends with its terminal', async () => {
  const terminal = await openTerminal(['npm', ...part], process.env);
  await terminal.waitFor('is up');
  const [, url = ''] = /AWS_ENDPOINT_URL_STS='([^']+)'/.exec(terminal.shown()) ?? [];
  await fetch(url);
  terminal.close();
  await terminal.ended;
  // npm may have ended first.
  await vi.waitFor(() => expect(fetch(url)).rejects.toThrow('fetch failed'), 30_000);
});

afterEach(() => void vi.useRealTimers());

/** A process whose signals and starter a test decides. */
function begin({ hasTerminal }: { readonly hasTerminal: boolean }) {
  vi.useFakeTimers();
  const listeners = new Map<string, () => void>();
  const listen = (signal: string, told: () => void) => void listeners.set(signal, told);
  const state = { isWanted: true };
  const end = vi.fn<() => void>();
  onEnd(end, { on: listen, once: listen, hasTerminal, isWanted: () => state.isWanted });
  return { state, end, send: (signal: string) => listeners.get(signal)?.() };
}

test('a hangup without a terminal, as nohup leaves it, ends nothing, though npm goes by it', () => {
  const { state, end, send } = begin({ hasTerminal: false });
  vi.advanceTimersByTime(60_000);
  send('SIGHUP');
  state.isWanted = false;
  vi.advanceTimersByTime(60_000);
  expect(end).not.toHaveBeenCalled();
  send('SIGTERM');
  expect(end).toHaveBeenCalledOnce();
});

test('it ends once, whatever comes together', () => {
  const { state, end, send } = begin({ hasTerminal: true });
  send('SIGHUP');
  send('SIGTERM');
  state.isWanted = false;
  vi.advanceTimersByTime(60_000);
  expect(end).toHaveBeenCalledOnce();
});

test('who starts it in another way than by npm run sandbox may end before it', () => {
  expect(findStarters({})).toEqual([]);
  expect(findStarters({ npm_lifecycle_event: 'test' })).toEqual([]);
  expect(findStarters({ npm_lifecycle_event: 'sandbox' })[0]).toBe(process.ppid);
});

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}
