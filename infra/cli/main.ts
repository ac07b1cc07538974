// The process of the command line: its arguments, its terminal, its exit code.
import { explainFileError } from '../node/file-errors.ts';
import { exitCodes } from './errors.ts';
import { runCommandLine } from './program.ts';
import { openTerminal } from './terminal.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, as `head` does, closes the pipe.
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`the result cannot be written: ${explainFileError(error)}\n`);
  process.exit(exitCodes.failed);
});
const cancelling = new AbortController();
process.once('SIGINT', () => {
  cancelling.abort();
  // Whoever presses it twice does not want to wait.
  process.once('SIGINT', () => process.exit(130));
});
process.exitCode = await runCommandLine(process.argv.slice(2), openTerminal(), cancelling.signal);
