// The command line as a whole: its commands, its common options, and how it ends.
import { Command, CommanderError, Option } from 'commander';
import { oneLine } from '../../lib/policy/bounds.ts';
import { toError } from '../../lib/ports/errors.ts';
import type { CommandDefinition, CommandOptions } from './definitions.ts';
import { CommandError, type ExitCode, exitCodes } from './errors.ts';
import { findPlace } from './place.ts';
import { type CommandSession, type CommonOptions, outputFormats } from './session.ts';
import { startSpinner } from './spinner.ts';
import type { Terminal } from './terminal.ts';
import { localizeTimes } from './text.ts';
import { endTogether } from './together.ts';
import { readVocabulary } from './vocabulary.ts';
import { actCommands } from './words/act.ts';
import { lookCommands } from './words/look.ts';
import { setUpCommands } from './words/set-up.ts';

/** Runs a command and returns its exit code. Never rejects. @param signal Aborted when a person cancels. */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<ExitCode> {
  let code: ExitCode = exitCodes.fine;
  const program = createProgram(terminal, async (definition, values, options) => {
    const session = openSession(terminal, options, signal, () => readVocabulary(program));
    const { run } = await definition.load();
    code = await endTogether(session, (own) => run(own, values, options));
  });
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
    return explain(error, terminal, signal);
  }
}

type RunDefinition = (
  definition: CommandDefinition,
  values: readonly unknown[],
  options: CommandOptions,
) => Promise<void>;

function createProgram({ out, err }: Terminal, run: RunDefinition): Command {
  const program = new Command('certrelay')
    .description('Shows and operates an installation of Certrelay, with your AWS credentials.')
    .helpCommand(hasHelpCommand)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .showHelpAfterError('for more: npx certrelay --help')
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      getOutHelpWidth: () => Math.min(out.columns ?? 80, 100),
      getErrHelpWidth: () => Math.min(err.columns ?? 80, 100),
      outputError: (text, write) => write(oneMistake(text)),
    });
  for (const option of commonOptions()) program.addOption(option);
  for (const { heading, definition } of listCommands()) {
    const command = program.command(definition.usage).description(definition.description);
    command.helpGroup(heading).copyInheritedSettings(program);
    command.showHelpAfterError(`for more: npx certrelay ${command.name()} --help`);
    for (const option of definition.options ?? []) command.addOption(option);
    command.addHelpText('after', `\nExample:\n  npx certrelay ${definition.example}`);
    command.action(async (...values: readonly unknown[]) => {
      // The last two are commander's: the options, and the command itself.
      await run(definition, values.slice(0, -2), command.optsWithGlobals<CommandOptions>());
    });
  }
  return program.addHelpText('after', `\n${endings}`);
}

/** Every command below its heading, in the order of the help. */
function listCommands() {
  const under = (heading: string, definitions: readonly CommandDefinition[]) =>
    definitions.map((definition) => ({ heading, definition }));
  return [...under('Look:', lookCommands), ...under('Act:', actCommands), ...under('Set up:', setUpCommands)];
}

/** `--help` does the same for each command. */
const hasHelpCommand = false;

const endings = `Exit codes: 0 fine, 1 something is Degraded, failed or did not happen,
2 wrong usage, 3 refused or timed out, 4 no credentials, 5 no network,
130 cancelled.
More: docs/operating/command-line.md`;

function commonOptions(): readonly Option[] {
  return [
    new Option('--stage <name>', 'stage of the installation (default: "dev")'),
    new Option('--region <name>', 'its AWS region (default: that of the environment or profile)'),
    new Option('--installation <name>', 'its stack, such as certrelay-prod, in place of --stage'),
    new Option('--endpoint-url <url>', "Lambda API in place of AWS's own, such as the sandbox's"),
    new Option('-o, --output <format>', 'how results are shown').choices(outputFormats).default('table'),
    new Option('-q, --quiet', 'only names, and no words but failures'),
  ];
}

/** What commander says of a mistake, without what would control the terminal. */
function oneMistake(text: string): string {
  const lines = text.trim().split('\n');
  return `${lines.map((line) => oneLine(line, 500).replace(/^error: /, '')).join('\n')}\n`;
}

function openSession(
  terminal: Terminal,
  options: CommonOptions,
  signal: AbortSignal,
  readVocabulary: CommandSession['readVocabulary'],
): CommandSession {
  return {
    options,
    terminal,
    signal,
    readVocabulary,
    async call(name, event, { isRead, signal: ownSignal }) {
      const place = findPlace(options, terminal.env);
      const either = ownSignal ? AbortSignal.any([signal, ownSignal]) : signal;
      const spinner = startSpinner(name, { terminal, isQuiet: options.quiet === true, signal: either });
      try {
        const { invokeFunction } = await import('./call.ts');
        const call = { name, event, signal: either, onMilestone: spinner?.tell, isRead };
        return await invokeFunction(place, call, terminal.env);
      } finally {
        spinner?.stop();
      }
    },
  };
}

function explain(thrown: unknown, { err }: Terminal, signal: AbortSignal): ExitCode {
  const error = toError(thrown);
  const isCancelled = signal.aborted && !(error instanceof CommandError);
  const words = isCancelled ? 'cancelled' : localizeTimes(oneLine(error.message, 2_000));
  err.write(`${words}\n`);
  if (isCancelled) return exitCodes.cancelled;
  return error instanceof CommandError ? exitCodes[error.code] : exitCodes.failed;
}
