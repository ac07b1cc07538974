// Shows the report of `issue`: what is ordered, what waits, and why.
import { type AnswerFields, listOf, numberOf, textOf, textsOf, timeOf } from './answer.ts';
import { formatTable, type TableColumn, type TableStyle } from './table.ts';
import { type Colour, formatTime, localizeTimes } from './text.ts';

/** The table of a report; empty if it lists nothing. */
export function formatOrders(report: AnswerFields, style: TableStyle): string {
  return formatTable(columns, listOf(report, 'certificates'), style);
}

/** The order's ending in one word, or what was decided. */
export function endingOf(line: AnswerFields): string {
  return textOf(line, 'outcome') || textOf(line, 'decision');
}

/** Why, with what may go wrong. */
export function describeOrder(line: AnswerFields): string {
  const warnings = textsOf(line, 'warnings').map((words) => `warning: ${words}`);
  return localizeTimes([textOf(line, 'message'), ...warnings].filter((words) => words !== '').join('; '));
}

/** One line about calls that the orders would make; empty if there are none. */
export function describePrediction(report: AnswerFields): string {
  const predicted = report.predicted;
  if (typeof predicted !== 'object' || predicted === null) return '';
  const calls = Object.entries(predicted).flatMap(([name, count]) =>
    typeof count === 'number' && count > 0 ? [`${count} ${/^\w+$/.test(name) ? name : 'other'}`] : [],
  );
  return calls.length > 0 ? `calls that the orders make at most: ${calls.join(', ')}` : '';
}

/** How many certificates the report does not list. */
export function describeOmitted(report: AnswerFields): string {
  const omitted = numberOf(report, 'omitted') ?? 0;
  return omitted > 0 ? `${omitted} more are not listed; the log has them` : '';
}

const colours: Readonly<Record<string, Colour>> = {
  failed: 'red',
  unknown: 'red',
  order: 'cyan',
  wait: 'yellow',
  waiting: 'yellow',
  issued: 'green',
};

const columns: readonly TableColumn<AnswerFields>[] = [
  { header: 'NAME', of: (line) => textOf(line, 'name') },
  { header: 'ORDER', of: endingOf, colour: (line) => colours[endingOf(line)] },
  { header: 'REASON', givesWay: 1, of: (line) => textOf(line, 'reason') },
  { header: 'UNTIL', isWide: true, of: (line) => formatTime(timeOf(line, 'until')) },
  { header: 'RENEWS', isWide: true, of: (line) => formatTime(timeOf(line, 'renewsAt')) },
  { header: 'ZONES', isWide: true, of: (line) => textsOf(line, 'zones').join(',') },
  { header: 'MESSAGE', isFlexible: true, of: describeOrder },
];
