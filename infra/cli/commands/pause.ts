// `certrelay pause`: orders certificates no more.
import { type AnswerFields, textOf, timeOf } from '../answer.ts';
import { printChanges, rehearse } from '../changes.ts';
import type { RunCommand } from '../definitions.ts';
import { CommandError } from '../errors.ts';
import { readNames } from '../names.ts';
import { formatTime } from '../text.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { reason, until, dryRun }) => {
  const certificates = readNames(given);
  if (dryRun) {
    const end = until === undefined ? undefined : await readEnd(until, session.terminal.now());
    return rehearse(session, certificates, `would be paused${describeEnd(end)}`);
  }
  const event = {
    certificates,
    ...(reason === undefined ? {} : { reason }),
    ...(until === undefined ? {} : { until }),
  };
  return printChanges(session, await session.call('pause', event, { isRead: false }), describe);
};

/** The function has no dry run, so what it would say of the end is said here. */
async function readEnd(until: unknown, now: Date): Promise<Date> {
  const { resolveUntil, untilField } = await import('../../../lib/requests/until.ts');
  const read = untilField.safeParse(until);
  const end = read.success ? resolveUntil(read.data, now) : read.error.issues[0]?.message;
  if (end instanceof Date) return end;
  throw new CommandError('usage', `--until: ${end ?? 'it is no time'}`);
}

function describe(entry: AnswerFields): string {
  const reason = textOf(entry, 'reason');
  const rest = `${describeEnd(timeOf(entry, 'until'))}${reason === '' ? '' : `: ${reason}`}`;
  if (textOf(entry, 'outcome') !== 'unchanged') return `${textOf(entry, 'outcome')}${rest}`;
  const since = timeOf(entry, 'since');
  return `unchanged, paused${since ? ` since ${formatTime(since)}` : ''}${rest}`;
}

function describeEnd(end: Date | undefined): string {
  return end ? ` until ${formatTime(end)}` : '';
}
