// `certrelay notify --test`: rings every channel of notices.
import { type AnswerFields, listOf, textOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { exitCodes } from '../errors.ts';
import { printResult, reportFailures } from '../print.ts';
import { formatTable, type TableColumn } from '../table.ts';

/** Runs it. */
export const run: RunCommand = async (session) => {
  const report = await session.call('notify', { test: true }, { isRead: false });
  const rows = listOf(report, 'channels');
  await printResult(session, {
    data: report,
    text: (style) => formatTable(columns, rows, style),
    names: rows.map((row) => textOf(row, 'channel')),
  });
  // That there is no channel to ring is no mistake of this command.
  return reportFailures(session, report) === exitCodes.fine && report.ok !== false
    ? exitCodes.fine
    : exitCodes.failed;
};

const columns: readonly TableColumn<AnswerFields>[] = [
  { header: 'CHANNEL', of: (row) => textOf(row, 'channel') },
  {
    header: 'RESULT',
    of: (row) => textOf(row, 'result'),
    colour: (row) => (textOf(row, 'result') === 'accepted' ? 'green' : 'red'),
  },
  { header: 'MESSAGE', isFlexible: true, of: (row) => textOf(row, 'message') },
];
