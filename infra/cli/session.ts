// What one command has: its options, its terminal, and a way to call functions.
import type { CalledFunction } from '../../lib/policy/commands.ts';
import type { AnswerFields } from './answer.ts';
import type { Terminal } from './terminal.ts';
import type { Vocabulary } from './vocabulary.ts';

/** How results are shown. */
export const outputFormats = ['table', 'wide', 'json', 'yaml'] as const;

/** One of the formats. */
export type OutputFormat = (typeof outputFormats)[number];

/** The options of every command. */
export interface CommonOptions {
  readonly stage?: string;
  readonly region?: string;
  readonly installation?: string;
  readonly endpointUrl?: string;
  readonly output: OutputFormat;
  readonly quiet?: boolean;
}

/** How a function is called. */
export interface CallManner {
  /** Whether the call changes nothing, so that it may be sent again. */
  readonly isRead: boolean;
  /** Ends the wait for this call alone; a person, and the command's end, end all of them. */
  readonly signal?: AbortSignal;
}

/** A command that runs. */
export interface CommandSession {
  readonly options: CommonOptions;
  readonly terminal: Terminal;
  /** Aborted when a person cancels, and when the command has failed. */
  readonly signal: AbortSignal;
  /** All words that may be typed. */
  readonly readVocabulary: () => Vocabulary;
  /** Calls a function and gives its report, which has `ok` and `failures`.
   *  @throws CommandError if there is no report. */
  call(
    name: CalledFunction,
    event: Readonly<Record<string, unknown>>,
    manner: CallManner,
  ): Promise<AnswerFields>;
}
