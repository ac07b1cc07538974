// Shows the report of `deploy`: what each target gets, and why.
import { type AnswerFields, textsOf } from './answer.ts';
import { type DeliveryRow, listDeliveries } from './delivery-rows.ts';
import { type ExitCode, exitCodes } from './errors.ts';
import { describeOmitted } from './orders.ts';
import { nothingAsked, printResult, reportUnshown, say, withoutTold } from './print.ts';
import type { CommandSession } from './session.ts';
import { formatTable, type TableColumn, type TableStyle } from './table.ts';
import type { Colour } from './text.ts';
import { findUndoneDeliveries, leavesOpen, listRolloutCommands, reportUndone } from './undone.ts';

/** The table of a report; empty if it lists nothing. */
export function formatDeliveries(report: AnswerFields, style: TableStyle): string {
  return formatTable(columns, listDeliveries(report), style);
}

/** Clusters that got an invocation of their own, in one line; empty if there are none. */
export function describeHandedOn(report: AnswerFields): string {
  const clusters = textsOf(report, 'handedOn');
  if (clusters.length === 0) return '';
  return `in invocations of their own: ${clusters.join(', ')}; "npx certrelay status" shows how they end`;
}

/** Prints a report of `deploy`: a table for a plan, else a line for each target.
 *  @param held What a version that is not delivered was asked to be, as `rolled back`.
 *  @param isNamed Whether certificates, targets or clusters were asked for: then what was not delivered is no
 *  success. */
export async function printDeliveries(
  session: CommandSession,
  report: AnswerFields,
  {
    isPlan,
    isNamed,
    held = 'held',
  }: { readonly isPlan: boolean; readonly isNamed: boolean; readonly held?: string },
): Promise<ExitCode> {
  const rows = listDeliveries(report);
  let shown = '';
  await printResult(session, {
    data: report,
    text: (style) => {
      shown =
        isPlan || style.isWide
          ? formatDeliveries(report, style)
          : rows.map((row) => describeRow(row, held, withoutTold(report, row.message))).join('');
      return shown;
    },
    names: [...new Set(rows.map(({ certificate }) => `certificate/${certificate}`))],
  });
  say(session, describeOmitted(report));
  say(session, describeHandedOn(report));
  // Of what was asked for and did not happen, the commands come below.
  const commands = isPlan || (isNamed && leavesOpen(report)) ? [] : listRolloutCommands(rows);
  const code = reportUnshown(session, { shown, commands }, report);
  if (rows.length === 0 && code === exitCodes.fine && textsOf(report, 'handedOn').length === 0)
    say(session, isNamed ? 'nothing to do: no certificate goes there' : nothingAsked);
  if (isPlan || !isNamed) return code;
  const asked = held === 'held' ? rows : rows.filter(({ outcome }) => outcome !== 'held');
  return reportUndone(session, findUndoneDeliveries(asked), report);
}

/** One line: `certificate/shop delivered to prod/shop/shop-tls`. */
function describeRow(row: DeliveryRow, held: string, untold: string): string {
  const { certificate, target, outcome, action, restarted, message } = row;
  // A target whose Secret stays as it is was not changed, whatever was asked for.
  const word = outcome === 'held' && action !== '' ? held : outcome;
  const what = `certificate/${certificate}`;
  const restarts = restarted.length > 0 ? `, restarted ${restarted.join(', ')}` : '';
  switch (outcome) {
    case 'skip':
      return `${what} skipped: ${message}\n`;
    case 'delivered':
      return `${what} delivered to ${target}${restarts}\n`;
    case 'unchanged':
      return `${what} unchanged in ${target}\n`;
    default:
      return `${[what, word, ...(target === '' ? [] : ['in', target])].join(' ')}${untold === '' ? '' : `: ${untold}`}\n`;
  }
}

const colours: Readonly<Record<string, Colour>> = {
  refused: 'red',
  pending: 'yellow',
  waiting: 'yellow',
  held: 'yellow',
  planned: 'cyan',
  delivered: 'green',
};

const columns: readonly TableColumn<DeliveryRow>[] = [
  { header: 'NAME', of: ({ certificate }) => certificate },
  { header: 'TARGET', of: ({ target }) => target || '-' },
  { header: 'DELIVERY', of: ({ outcome }) => outcome, colour: ({ outcome }) => colours[outcome] },
  { header: 'SECRET', givesWay: 1, of: ({ action }) => action },
  { header: 'RESTARTS', isWide: true, of: ({ restarted }) => restarted.join(',') },
  { header: 'MESSAGE', isFlexible: true, of: ({ message }) => message },
];
