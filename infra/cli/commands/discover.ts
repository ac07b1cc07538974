// `certrelay discover`: finds objects that ask for certificates.
import { type AnswerFields, listOf, textOf, textsOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { describeOmitted } from '../orders.ts';
import { printResult, reportFailures, say } from '../print.ts';
import { formatTable, type TableColumn } from '../table.ts';
import { localizeTimes } from '../text.ts';

/** Runs it. */
export const run: RunCommand = async (session, _values, { dryRun }) => {
  const report = await session.call('discover', dryRun ? { dryRun } : {}, { isRead: dryRun === true });
  const rows = listOf(report, 'certificates');
  await printResult(session, {
    data: report,
    text: (style) => formatTable(columns, rows, style),
    names: rows.map((row) => `certificate/${textOf(row, 'name')}`),
  });
  for (const passed of listOf(report, 'passedOver'))
    say(session, `${textOf(passed, 'object')}: ${textOf(passed, 'message')}`);
  const gone = textsOf(report, 'noLongerAsked');
  if (gone.length > 0) say(session, `no object asks any more for ${gone.join(', ')}`);
  say(session, describeOmitted(report));
  return reportFailures(session, report);
};

const columns: readonly TableColumn<AnswerFields>[] = [
  { header: 'NAME', of: (row) => textOf(row, 'name') },
  { header: 'FOUND', of: (row) => textOf(row, 'outcome') },
  { header: 'TARGET', givesWay: 2, of: (row) => textOf(row, 'target') },
  { header: 'DOMAINS', givesWay: 1, of: (row) => textsOf(row, 'domains').join(' ') },
  { header: 'OBJECTS', isWide: true, of: (row) => textsOf(row, 'objects').join(', ') },
  { header: 'MESSAGE', isFlexible: true, of: (row) => localizeTimes(textOf(row, 'message')) },
];
