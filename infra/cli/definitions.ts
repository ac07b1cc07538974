// What a command of the command line is. What it does is loaded when it runs.
import type { Option } from 'commander';
import type { ExitCode } from './errors.ts';
import type { CommandSession, CommonOptions } from './session.ts';

/** The options that a command was given: the common ones, and its own as commander gives them. */
export type CommandOptions = CommonOptions & Readonly<Record<string, unknown>>;

/** Runs a command. `values`: its arguments in their order, as commander gives them; a list for `name...`. */
export type RunCommand = (
  session: CommandSession,
  values: readonly unknown[],
  options: CommandOptions,
) => Promise<ExitCode>;

/** One command. */
export interface CommandDefinition {
  /** Its name and arguments. */
  readonly usage: string;
  readonly description: string;
  readonly options?: readonly Option[];
  /** Words after `npx certrelay`. */
  readonly example: string;
  readonly load: () => Promise<{ readonly run: RunCommand }>;
}
