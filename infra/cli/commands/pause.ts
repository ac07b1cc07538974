// `certrelay pause`: orders certificates no more.
import { type AnswerFields, textOf, timeOf } from '../answer.ts';
import { printChanges, rehearse } from '../changes.ts';
import type { RunCommand } from '../definitions.ts';
import { readNames } from '../names.ts';
import { formatTime } from '../text.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { reason, dryRun }) => {
  const certificates = readNames(given);
  if (dryRun) return rehearse(session, certificates, 'would be paused');
  const event = { certificates, ...(reason === undefined ? {} : { reason }) };
  return printChanges(session, await session.call('pause', event, { isRead: false }), describe);
};

function describe(entry: AnswerFields): string {
  const reason = textOf(entry, 'reason');
  const because = reason === '' ? '' : `: ${reason}`;
  if (textOf(entry, 'outcome') !== 'unchanged') return `${textOf(entry, 'outcome')}${because}`;
  const since = timeOf(entry, 'since');
  return `unchanged, paused${since ? ` since ${formatTime(since)}` : ''}${because}`;
}
