// The process of the command line: its arguments, its terminal, its exit code.
import { runCommandLine } from './program.ts';
import { openTerminal } from './terminal.ts';

// A reader that has seen enough, as `head` does, closes the pipe.
process.stdout.on('error', () => process.exit());
const cancelling = new AbortController();
process.once('SIGINT', () => {
  cancelling.abort();
  // Whoever presses it twice does not want to wait.
  process.once('SIGINT', () => process.exit(130));
});
process.exitCode = await runCommandLine(process.argv.slice(2), openTerminal(), cancelling.signal);
