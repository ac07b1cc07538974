// `certrelay list`: every certificate with its names and targets.
import { type AnswerFields, listOf, numberOf, textOf, textsOf, timeOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { exitCodes } from '../errors.ts';
import { printResult, reportFailures, say } from '../print.ts';
import { formatTable, type TableColumn } from '../table.ts';
import { type Colour, formatTime } from '../text.ts';

/** Runs it. What is healthy or not is no matter here. */
export const run: RunCommand = async (session) => {
  const manner = { isRead: true };
  const [status, retired] = await Promise.all([
    session.call('status', {}, manner),
    session.call('retire', {}, manner),
  ]);
  const certificates = listOf(status, 'certificates').toSorted(byName);
  const names = new Set(certificates.map((entry) => textOf(entry, 'name')));
  const gone = listOf(retired, 'certificates').filter((entry) => !names.has(textOf(entry, 'name')));
  const leaving = new Map(listOf(retired, 'certificates').map((entry) => [textOf(entry, 'name'), entry]));
  const rows = [...certificates, ...gone].map((entry) => ({
    entry,
    leaving: leaving.get(textOf(entry, 'name')) ?? {},
  }));
  await printResult(session, {
    data: { certificates, retired: listOf(retired, 'certificates') },
    text: (style) => formatTable(leaving.size > 0 ? leavingColumns : columns, rows, style),
    names: rows.map(({ entry }) => textOf(entry, 'name')),
  });
  const omitted = numberOf(status, 'omitted') ?? 0;
  if (omitted > 0)
    say(session, `${omitted} more are not listed: name them, as in "npx certrelay status shop"`);
  const code = reportFailures(session, status, retired);
  if (rows.length === 0 && code === exitCodes.fine) say(session, 'there are no certificates');
  return code;
};

function byName(one: AnswerFields, other: AnswerFields): number {
  return textOf(one, 'name') < textOf(other, 'name') ? -1 : 1;
}

/** A certificate, and what `retire` says of it if it is let go. */
interface ListedRow {
  readonly entry: AnswerFields;
  readonly leaving: AnswerFields;
}

const columns: readonly TableColumn<ListedRow>[] = [
  { header: 'NAME', of: ({ entry }) => textOf(entry, 'name') },
  { header: 'SOURCE', givesWay: 3, of: describeSource, colour: colourOf },
  { header: 'ENDS', givesWay: 4, of: ({ entry }) => formatDay(timeOf(entry, 'notAfter')) },
  // Until when it can be restored.
  { header: 'GOES', givesWay: 1, of: ({ leaving }) => formatDay(timeOf(leaving, 'until')), colour: colourOf },
  { header: 'TARGETS', givesWay: 2, of: ({ entry }) => describeTargets(entry) },
  { header: 'DOMAINS', isFlexible: true, of: ({ entry }) => textsOf(entry, 'domains').join(' ') },
];

/** Where something is let go, every width says so: it must not look alive. */
const leavingColumns = columns.map(({ givesWay, ...column }) =>
  givesWay === undefined || column.header === 'SOURCE' ? column : { ...column, givesWay },
);

/** Where it comes from; of what is let go, how far that is. */
function describeSource({ entry, leaving }: ListedRow): string {
  return textOf(leaving, 'outcome') || textOf(entry, 'source');
}

function colourOf({ leaving }: ListedRow): Colour | undefined {
  return textOf(leaving, 'outcome') === '' ? undefined : 'yellow';
}

function formatDay(time: Date | undefined): string {
  return formatTime(time).slice(0, 10);
}

function describeTargets(entry: AnswerFields): string {
  const judged = listOf(entry, 'targets').map((target) => textOf(target, 'target'));
  const targets = judged.length > 0 ? judged : textsOf(entry, 'deliveredTo');
  const [first = ''] = targets;
  return targets.length > 1 ? `${first} +${targets.length - 1}` : first;
}
