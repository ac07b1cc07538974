// Shows results on stdout, in the format that was asked for, and failures on stderr.
import { nameSome } from '../../lib/policy/bounds.ts';
import { type AnswerFields, listOf, numberOf, textOf } from './answer.ts';
import { type ExitCode, exitCodes } from './errors.ts';
import { sayAsOptions } from './event-words.ts';
import type { CommandSession } from './session.ts';
import type { TableStyle } from './table.ts';
import { hasColours, widthOf } from './terminal.ts';
import { escapeJson, localizeTimes } from './text.ts';

/** A result in each of its forms. */
export interface CommandResult {
  /** For JSON and YAML: instants are in UTC. */
  readonly data: unknown;
  /** For people: whole lines, or empty. */
  readonly text: (style: TableStyle) => string;
  /** For `--quiet`: one line each. */
  readonly names: readonly string[];
}

/** What is said if a report over everything lists nothing. */
export const nothingAsked = 'nothing to do: neither the inventory nor a registration asks for a certificate';

/** Commands that failures end with. */
const mostCommands = 5;

/** Prints the result. */
export async function printResult(session: CommandSession, result: CommandResult): Promise<void> {
  const { terminal, options } = session;
  const { out } = terminal;
  if (options.output === 'json') return out.write(`${escapeJson(JSON.stringify(result.data, null, 2))}\n`);
  if (options.output === 'yaml') {
    const { toYaml } = await import('./yaml.ts');
    return out.write(toYaml(result.data));
  }
  if (options.quiet) return out.write(result.names.map((name) => `${name}\n`).join(''));
  const style = {
    width: widthOf(terminal),
    isWide: options.output === 'wide',
    isColoured: hasColours(terminal, out),
  };
  out.write(result.text(style));
}

/** Prints words for a person, if there are any and not only results are wanted. */
export function say(session: CommandSession, words: string): void {
  if (words !== '' && !session.options.quiet) session.terminal.err.write(`${words}\n`);
}

/** Prints the failures of reports, each once, and what to do next. Returns the exit code: `usage` if nothing
 *  but names or fields that nobody knows is wrong. */
export function reportFailures(session: CommandSession, ...answers: readonly AnswerFields[]): ExitCode {
  return reportUnshown(session, { shown: '' }, ...answers);
}

/** The same, without the words of failures that are in `shown` already, whatever its lines.
 *  @param commands What else a person goes on with. */
export function reportUnshown(
  session: CommandSession,
  { shown, commands = [] }: { readonly shown: string; readonly commands?: readonly string[] },
  ...answers: readonly AnswerFields[]
): ExitCode {
  const failures = answers.flatMap((answer) => listOf(answer, 'failures'));
  const omitted = answers.reduce((sum, answer) => sum + (numberOf(answer, 'failuresOmitted') ?? 0), 0);
  const unshown = failures.filter((one) => !isShown(one, shown));
  const lines = Map.groupBy(unshown, (one) => `${textOf(one, 'code')}: ${textOf(one, 'message')}`);
  for (const [words, parts] of lines) {
    const names = [...new Set(parts.map((one) => textOf(one, 'what')))];
    const [{ code, message } = {}] = parts;
    // What was called is no matter to whoever has typed a wrong option.
    const isOption = code === 'Event' && typeof message === 'string' && sayAsOptions(message) !== message;
    const said = isOption ? sayAsOptions(message) : `${nameSome(names, 10)}: ${words}`;
    session.terminal.err.write(`${localizeTimes(said)}\n`);
  }
  if (omitted > 0) session.terminal.err.write(`and ${omitted} more: the log has all of them\n`);
  suggest(session, [...failures.map((one) => textOf(one, 'command')), ...commands]);
  return codeOfFailures(...answers);
}

/** The exit code for the failures of reports. */
export function codeOfFailures(...answers: readonly AnswerFields[]): ExitCode {
  const failures = answers.flatMap((answer) => listOf(answer, 'failures'));
  if (failures.length === 0) return exitCodes.fine;
  const isMistake = failures.every((one) => ['Event', 'Unknown'].includes(textOf(one, 'code')));
  return isMistake ? exitCodes.usage : exitCodes.failed;
}

/** The words without those that a failure of the report begins with: they are told with it, and once. A
 *  failure that has not all of them tells nothing that is not shown. */
export function withoutTold(answer: AnswerFields, words: string): string {
  const told = listOf(answer, 'failures')
    .map(wordsOf)
    .find((one) => one !== '' && words.startsWith(one));
  return told === undefined ? words : words.slice(told.length).replace(/^; /, '');
}

function wordsOf(failure: AnswerFields): string {
  return localizeTimes(textOf(failure, 'message'));
}

/** A function cuts the words of a failure sooner than those of a certificate. */
function isShown(failure: AnswerFields, shown: string): boolean {
  const words = joinLines(wordsOf(failure)).replace(/…$/, '');
  return words !== '' && joinLines(shown).includes(words);
}

function joinLines(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** Prints the commands with which a person goes on; empty ones are none. */
export function suggest(session: CommandSession, commands: readonly string[]): void {
  const shown = [...new Set(commands)].filter((command) => command !== '').slice(0, mostCommands);
  if (shown.length > 0) say(session, ['to go on, run:', ...shown.map((one) => `  ${one}`)].join('\n'));
}
