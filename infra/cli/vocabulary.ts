// The words that may stand on the command line, as completions of shells need them.
import type { Command, Option } from 'commander';

/** What may stand in a place: any text, a file, the name of a certificate, or one of these words. */
export type CompletedValue = 'any' | 'file' | 'certificate' | readonly string[];

/** An option, with all its spellings. */
export interface CompletedOption {
  readonly flags: readonly string[];
  readonly description: string;
  /** Absent: it takes none. */
  readonly value?: CompletedValue;
}

/** One command. */
export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** Absent: it takes no argument. */
  readonly argument?: CompletedValue;
}

/** Everything. */
export interface Vocabulary {
  readonly commands: readonly CompletedCommand[];
  /** Options of every command. */
  readonly common: readonly CompletedOption[];
}

/** The vocabulary of the program, as its help has it. */
export function readVocabulary(program: Command): Vocabulary {
  return {
    commands: program.commands.map((command) => {
      const [argument] = command.registeredArguments;
      return {
        name: command.name(),
        description: command.description(),
        options: command.options.filter(({ hidden }) => !hidden).map(describeOption),
        ...(argument && { argument: argument.argChoices ?? readValue(argument.name()) }),
      };
    }),
    common: [...program.options.map(describeOption), { flags: ['-h', '--help'], description: 'help' }],
  };
}

function describeOption(option: Option): CompletedOption {
  const { short, long, description, required, optional, flags, argChoices } = option;
  const [, name = ''] = /[<[]([\w-]+)/.exec(flags) ?? [];
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    ...((required || optional) && { value: argChoices ?? (isPath(name) ? 'file' : 'any') }),
  };
}

/** An argument's value by its name, as the usage has it. */
function readValue(name: string): CompletedValue {
  if (name === 'name') return 'certificate';
  if (name === 'shell') return ['bash', 'zsh', 'fish'];
  return isPath(name) ? 'file' : 'any';
}

function isPath(name: string): boolean {
  return ['file', 'folder', 'path'].includes(name);
}
