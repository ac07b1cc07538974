// What commands have in common that change certificates: one line for each, and asking before harm is done.
import type { CalledFunction } from '../../lib/policy/commands.ts';
import { type AnswerFields, listOf, textOf } from './answer.ts';
import { CommandError, type ExitCode } from './errors.ts';
import { printResult, reportFailures } from './print.ts';
import type { CommandSession } from './session.ts';
import { localizeTimes } from './text.ts';

/** What became of one certificate, as the end of a line that begins with its name. */
export type DescribeChange = (entry: AnswerFields) => string;

/** Prints `certificate/shop …` for each certificate of a report, and its failures. */
export async function printChanges(
  session: CommandSession,
  report: AnswerFields,
  describe: DescribeChange = describeOutcome,
): Promise<ExitCode> {
  const entries = listOf(report, 'certificates');
  const nameOf = (entry: AnswerFields) => `certificate/${textOf(entry, 'name')}`;
  await printResult(session, {
    data: report,
    text: () => entries.map((entry) => `${nameOf(entry)} ${describe(entry)}\n`).join(''),
    names: entries.map(nameOf),
  });
  return reportFailures(session, report);
}

/** `retiring: …` */
export function describeOutcome(entry: AnswerFields): string {
  const message = localizeTimes(textOf(entry, 'message'));
  return `${textOf(entry, 'outcome')}${message === '' ? '' : `: ${message}`}`;
}

/** What a person is to confirm. */
interface ConfirmedHarm {
  readonly harm: string;
  readonly wayBack?: string;
  readonly isSure: boolean;
  /** Looks whether it can be done at all, and reports why not: the exit code then. */
  readonly look: () => Promise<ExitCode | undefined>;
}

/** Asks a person to type each name, unless they have said that they mean it. Before that it looks: what
 *  cannot be done, as of a misspelt name, is reported in place of the question.
 *  @returns The exit code if it cannot be done; `undefined` to go on.
 *  @param harm What would be done, as in `Letting it go`.
 *  @param wayBack What of it can be undone, as the end of that sentence.
 *  @throws CommandError `usage` if nobody can be asked, `cancelled` if another text is typed. */
export async function confirmNames(
  session: CommandSession,
  names: readonly string[],
  { harm, wayBack = 'cannot be taken back', isSure, look }: ConfirmedHarm,
): Promise<ExitCode | undefined> {
  if (isSure) return undefined;
  const { terminal, signal } = session;
  const stopped = await look();
  if (stopped !== undefined) return stopped;
  if (!terminal.isInteractive)
    throw new CommandError('usage', `${harm} ${wayBack}: give --yes, or call it from a terminal`);
  for (const name of names) {
    const typed = await terminal.ask(`${harm}: type the name ${name} to go on: `, signal);
    if (typed.trim() !== name) throw new CommandError('cancelled', `cancelled: that is not ${name}`);
  }
  return undefined;
}

/** A look by a call that changes nothing: its failures are reported, and nothing else of it. */
export function lookBy(
  session: CommandSession,
  name: CalledFunction,
  event: Readonly<Record<string, unknown>>,
): ConfirmedHarm['look'] {
  return async () => {
    const report = await session.call(name, event, { isRead: true });
    if (listOf(report, 'failures').length === 0) return undefined;
    await printResult(session, { data: report, text: () => '', names: [] });
    return reportFailures(session, report);
  };
}

/** Says what a call would do whose function has no dry run: it only looks whether the names are known. */
export async function rehearse(
  session: CommandSession,
  names: readonly string[],
  would: string,
): Promise<ExitCode> {
  const report = await session.call('status', { certificates: names }, { isRead: true });
  const known = listOf(report, 'certificates').map(({ name }) => ({
    name,
    outcome: 'planned',
    message: would,
  }));
  const { ok, failures } = report;
  return printChanges(session, { certificates: known, ok, failures }, () => would);
}
