// When the process of a sandbox must end: by a signal, with its terminal, or with the npm that started it.
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';

/** How often it is looked whether npm is there, in milliseconds. */
const everyMs = 1_000;

/** What a process is told by, and what started it. */
export interface EndingProcess {
  on(signal: 'SIGHUP', told: () => void): unknown;
  once(signal: 'SIGINT' | 'SIGTERM', told: () => void): unknown;
  readonly hasTerminal: boolean;
  /** Whether what has started it is still there. */
  readonly isWanted: () => boolean;
}

/** Calls `end` once: at SIGINT or SIGTERM, when its terminal is closed, or when the npm that started it is
 *  gone. npm ends at a signal without a word to the process behind its shell. Without a terminal, as under
 *  nohup, a hangup ends nothing: npm, which nohup does not protect, may be gone after it. */
export function onEnd(end: () => void, told: EndingProcess = thisProcess()): void {
  let isOver = false;
  const finish = () => {
    clearInterval(watch);
    if (!isOver) end();
    isOver = true;
  };
  const watch = setInterval(() => {
    if (!told.isWanted()) finish();
  }, everyMs);
  watch.unref();
  told.once('SIGINT', finish);
  told.once('SIGTERM', finish);
  told.on('SIGHUP', () => (told.hasTerminal ? finish() : clearInterval(watch)));
}

function thisProcess(): EndingProcess {
  const starters = findStarters(process.env);
  const parent = process.ppid;
  return {
    on: (signal, listener) => process.on(signal, listener),
    once: (signal, listener) => process.once(signal, listener),
    // Asked now: a closed terminal is none.
    hasTerminal: [0, 1, 2].some((stream) => isatty(stream)),
    isWanted: () => starters.length === 0 || (process.ppid === parent && starters.every(isThere)),
  };
}

/** Process ids of npm, and of its shell if one is between; none if it was started in another way. */
export function findStarters(env: NodeJS.ProcessEnv): readonly number[] {
  if (env.npm_lifecycle_event !== 'sandbox') return [];
  const shell = look(process.ppid);
  const isBetween = shell?.command.includes(env.npm_lifecycle_script ?? 'test/sandbox/main.ts');
  return shell && isBetween ? [process.ppid, shell.parent] : [process.ppid];
}

function isThere(pid: number): boolean {
  if (process.platform === 'linux') return look(pid) !== undefined;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A process of Linux; `undefined` if it is gone, or only not yet buried. Elsewhere it is not needed: the
 *  shell gives its process to the command. */
function look(pid: number): { readonly parent: number; readonly command: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { parent: Number(parent), command };
  } catch {
    return undefined;
  }
}
