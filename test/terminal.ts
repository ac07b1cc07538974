// Runs a command on a terminal of its own (a pseudo-terminal), as a person has one. Needs python3.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A command on a terminal. */
export interface OpenedTerminal {
  /** Everything that the terminal has shown, with its escapes. */
  shown(): string;
  /** Waits until the terminal has shown it behind what was waited for last. @throws Error with what it has
   *  shown if the command ends before. */
  waitFor(words: string | RegExp): Promise<void>;
  /** Types. `\u0003` is Ctrl-C, `\r` the key Enter. */
  type(keys: string): void;
  /** Closes the terminal. */
  close(): void;
  /** Exit code of the command, once it has ended. */
  readonly ended: Promise<number>;
}

/** Opens a terminal and runs the command in it. It is ended with the test.
 *  @throws Error if python3 is missing. */
export async function openTerminal(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  columns = 80,
): Promise<OpenedTerminal> {
  const script = join(import.meta.dirname, 'terminal.py');
  const child = spawn('python3', [script, String(columns), ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, TERM: 'xterm', ...env },
  });
  await once(child, 'spawn').catch((cause: unknown) => {
    throw new Error('python3 is missing, and a terminal needs it: install it', { cause });
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  let seen = 0;
  let onMore = () => {};
  let isOver = false;
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    onMore();
  });
  const ended = once(child, 'close').then(([code]) => {
    isOver = true;
    onMore();
    return Number(code);
  });
  return {
    shown: () => text,
    async waitFor(words) {
      for (;;) {
        const rest = text.slice(seen);
        const found = typeof words === 'string' ? rest.indexOf(words) : rest.search(words);
        if (found !== -1) {
          seen += found + 1;
          return;
        }
        if (isOver) throw new Error(`it ended without ${String(words)}: ${JSON.stringify(text)}`);
        await new Promise<void>((resolve) => {
          onMore = resolve;
        });
      }
    },
    type: (keys) => void child.stdin.write(keys),
    close: () => void child.stdin.end(),
    ended,
  };
}
