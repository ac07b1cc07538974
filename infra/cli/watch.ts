// Shows something again and again.
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError, type ExitCode, exitCodes } from './errors.ts';
import type { CommandSession } from './session.ts';
import type { Terminal, TerminalStream } from './terminal.ts';
import { endTogether } from './together.ts';

const defaultSeconds = 15;

/** Shows it every so many seconds until a person cancels, on a terminal in the same place, else only what has
 *  changed. A call that fails is told and tried again.
 *  @param every Seconds as given; `true` for the default. */
export async function watch(
  session: CommandSession,
  every: unknown,
  show: (session: CommandSession) => Promise<ExitCode>,
): Promise<ExitCode> {
  const seconds = every === true ? defaultSeconds : Number(every);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 3600)
    throw new CommandError('usage', '--watch takes whole seconds from 1 to 3600');
  const { terminal, signal } = session;
  let before = '';
  while (!signal.aborted) {
    const shown = await record(session, show);
    if (signal.aborted) break;
    if (terminal.out.isTerminal) terminal.out.write(`\u001b[H\u001b[2J${shown}`);
    else if (shown !== before) terminal.out.write(shown);
    before = shown;
    await pause(seconds * 1000, undefined, { signal }).catch(() => undefined);
  }
  return exitCodes.cancelled;
}

/** Everything that it writes, words and failures included. */
async function record(
  session: CommandSession,
  show: (session: CommandSession) => Promise<ExitCode>,
): Promise<string> {
  let text = '';
  const { terminal } = session;
  const into = (stream: TerminalStream): TerminalStream => ({
    isTerminal: stream.isTerminal,
    columns: stream.columns,
    write: (more) => {
      text += more;
    },
  });
  // A spinner would be recorded, too.
  const err = { ...into(terminal.err), isTerminal: false };
  const recording: Terminal = { ...terminal, out: into(terminal.out), err };
  try {
    // A call that fails leaves none behind that is answered after the next ones.
    await endTogether({ ...session, terminal: recording }, show);
  } catch (error) {
    if (!(error instanceof CommandError) || error.code === 'usage' || error.code === 'credentials')
      throw error;
    text += `${error.message}\n`;
  }
  return text;
}
