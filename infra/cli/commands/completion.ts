// `certrelay completion`: prints what a shell reads to complete the command line's words.
import { once } from 'node:events';
import { certificateNamePattern } from '../../../lib/certificate/certificate-name.ts';
import { oneLine } from '../../../lib/policy/bounds.ts';
import { listOf, textOf } from '../answer.ts';
import { writeBash } from '../completion/bash.ts';
import { writeFish } from '../completion/fish.ts';
import { writeZsh } from '../completion/zsh.ts';
import type { RunCommand } from '../definitions.ts';
import { CommandError, exitCodes } from '../errors.ts';
import type { CommandSession } from '../session.ts';

const writers = { bash: writeBash, zsh: writeZsh, fish: writeFish } as const;

/** Milliseconds that a person waits for names after the key was pressed. */
const mostMs = 3_000;

/** Runs it. */
export const run: RunCommand = async (session, [given], { names }) => {
  const { out } = session.terminal;
  if (names) {
    out.write((await listNames(session)).map((name) => `${name}\n`).join(''));
    // A program that was asked for credentials may still run.
    session.terminal.leave(exitCodes.fine);
    return exitCodes.fine;
  }
  const shell = Object.keys(writers).find((one): one is keyof typeof writers => one === given);
  if (shell === undefined)
    throw new CommandError(
      'usage',
      `${typeof given === 'string' ? `nothing is known of the shell ${JSON.stringify(oneLine(given, 60))}: ` : ''}say which shell, as in: completion bash (or zsh, or fish)`,
    );
  // The shell may know the command under another name, or as a function.
  const [, script = 'certrelay'] = process.argv;
  const command = [process.execPath, script, 'completion', '--names'];
  out.write(writers[shell](session.readVocabulary(), command));
  return exitCodes.fine;
};

/** Names of certificates; none if nobody answers in time: a completion says nothing. A shell is given only
 *  what is a name. */
async function listNames(session: CommandSession): Promise<readonly string[]> {
  const signal = AbortSignal.any([session.signal, AbortSignal.timeout(mostMs)]);
  try {
    const call = session.call('status', {}, { isRead: true, signal });
    // Whoever gives credentials heeds no signal.
    const status = await Promise.race([call, waitForEnd(signal)]);
    const names = listOf(status, 'certificates').map((entry) => textOf(entry, 'name'));
    return names.filter((name) => certificateNamePattern.test(name)).toSorted();
  } catch {
    return [];
  }
}

async function waitForEnd(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}
