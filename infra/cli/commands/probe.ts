// `certrelay probe`: looks at what is served.
import { type AnswerFields, listOf, textOf, timeOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { exitCodes } from '../errors.ts';
import { namesField, readNames } from '../names.ts';
import { describeOmitted } from '../orders.ts';
import { nothingAsked, printResult, reportUnshown, say } from '../print.ts';
import { formatTable, type TableColumn } from '../table.ts';
import { type Colour, localizeTimes } from '../text.ts';

/** Runs it. Another certificate than the delivered one is a failure here, also one that was seen before and
 *  that nobody could look at now: a person asks whether all is well. */
export const run: RunCommand = async (session, [given]) => {
  // Its result is recorded, so that another try is no harm.
  const report = await session.call('probe', namesField(readNames(given)), { isRead: true });
  const rows = listOf(report, 'certificates');
  let shown = '';
  await printResult(session, {
    data: report,
    text: (style) => {
      shown = formatTable(columns, rows, style);
      return shown;
    },
    names: rows.map((row) => textOf(row, 'name')),
  });
  say(session, describeOmitted(report));
  const code = reportUnshown(session, { shown }, report);
  if (rows.length === 0 && code === exitCodes.fine) say(session, nothingAsked);
  const isWrong = rows.some(
    (row) => ['stale', 'mismatch'].includes(textOf(row, 'served')) || timeOf(row, 'since') !== undefined,
  );
  return code === exitCodes.fine && isWrong ? exitCodes.failed : code;
};

const colours: Readonly<Record<string, Colour>> = {
  served: 'green',
  stale: 'red',
  mismatch: 'red',
  failed: 'red',
  unreachable: 'yellow',
};

const columns: readonly TableColumn<AnswerFields>[] = [
  { header: 'NAME', of: (row) => textOf(row, 'name') },
  { header: 'SERVED', of: (row) => textOf(row, 'served'), colour: (row) => colours[textOf(row, 'served')] },
  {
    header: 'ADDRESSES',
    isWide: true,
    of: (row) => listOf(row, 'addresses').map(describeAddress).join(', '),
  },
  { header: 'MESSAGE', isFlexible: true, of: describeLook },
];

/** Without the word that the column beside it has. */
function describeLook(row: AnswerFields): string {
  const [message, served] = [localizeTimes(textOf(row, 'message')), textOf(row, 'served')];
  const rest = message.startsWith(served) ? message.slice(served.length) : message;
  return rest.replace(/^:? /, '');
}

function describeAddress(address: AnswerFields): string {
  return [textOf(address, 'name'), textOf(address, 'address'), textOf(address, 'served')].join(' ');
}
