// What the command line reads from and writes to.
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { CommandError, type ExitCode } from './errors.ts';

/** A stream that is written to. */
export interface TerminalStream {
  readonly isTerminal: boolean;
  /** Columns of the terminal; `undefined` without one. */
  readonly columns: number | undefined;
  write(text: string): void;
}

/** Where a command runs. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder in which the caller stands. */
  readonly cwd: string;
  /** Results. */
  readonly out: TerminalStream;
  /** Words for a person: progress, failures, what to do next. */
  readonly err: TerminalStream;
  /** Whether a person can be asked. */
  readonly isInteractive: boolean;
  /** The answer of a person, without the line's end. Only if `isInteractive`.
   *  @throws CommandError `cancelled` at Ctrl-C and Ctrl-D. */
  ask(question: string, signal: AbortSignal): Promise<string>;
  now(): Date;
  /** Ends the process once what was written is out, whatever still runs in it. */
  leave(code: ExitCode): void;
}

/** The terminal of this process. */
export function openTerminal(): Terminal {
  return {
    env: process.env,
    cwd: process.cwd(),
    out: wrap(process.stdout),
    err: wrap(process.stderr),
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    async ask(question, signal) {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      // At a question the terminal gives Ctrl-C and Ctrl-D as keys, at which this closes.
      const closed = once(lines, 'close').then(() => undefined);
      try {
        const answer = await Promise.race([lines.question(question, { signal }), closed]).catch(passOver);
        if (answer !== undefined) return answer;
        process.stderr.write('\n');
        throw new CommandError('cancelled', 'cancelled');
      } finally {
        lines.close();
      }
    },
    now: () => new Date(),
    leave: (code) => void process.stdout.write('', () => process.exit(code)),
  };
}

function passOver(): undefined {
  return undefined;
}

function wrap(stream: NodeJS.WriteStream): TerminalStream {
  return {
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
    write: (text) => void stream.write(text),
  };
}

/** Columns to write a table in: what COLUMNS says, else the terminal's own; `undefined` without either: what
 *  reads a pipe has no width. */
export function widthOf({ env, out }: Pick<Terminal, 'env' | 'out'>): number | undefined {
  const said = Number(env.COLUMNS);
  return Number.isInteger(said) && said > 0 ? Math.max(20, said) : out.columns;
}

/** Whether colours are shown: on a terminal only, and not if NO_COLOR (https://no-color.org) says so. */
export function hasColours({ env }: Pick<Terminal, 'env'>, stream: TerminalStream): boolean {
  return stream.isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}
