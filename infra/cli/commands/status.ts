// `certrelay status`: how everything stands.

import { nameSome } from '../../../lib/policy/bounds.ts';
import { formatDaysLeft } from '../../../lib/policy/words.ts';
import { type AnswerFields, fieldsOf, listOf, numberOf, textOf, textsOf, timeOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { CommandError, type ExitCode, exitCodes } from '../errors.ts';
import { type NamedSubjects, namesField, readSubjects } from '../names.ts';
import { findOthers, listAffected, listOthers } from '../others.ts';
import { printResult, reportFailures, say, suggest } from '../print.ts';
import type { CommandSession, OutputFormat } from '../session.ts';
import { formatTable, type TableColumn } from '../table.ts';
import { type Colour, formatTime, localizeTimes } from '../text.ts';
import { watch } from '../watch.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { watch: every }) => {
  const names = readSubjects(given);
  if (every === undefined) return show(session, names);
  if (session.options.output === 'json' || session.options.output === 'yaml')
    throw new CommandError('usage', '--watch shows tables; leave out -o json or yaml');
  return watch(session, every, (quietly) => show(quietly, names));
};

async function show(session: CommandSession, named: NamedSubjects): Promise<ExitCode> {
  const reports = await callStatus(session, named);
  const [report = {}] = reports;
  if (reports.some(hasNothing)) return failWithoutReport(session, reports);
  const isNamed = named.certificates.length + named.others.length > 0;
  const all = listRows(report);
  const rows = isNamed ? findNamed(reports, named) : all.filter(isShown(session.options.output));
  await printResult(session, {
    data:
      reports.length > 1 || named.others.length > 0
        ? rows.map(({ name, fields }) => ({ subject: name, ...fields }))
        : report,
    text: (style) => formatTable(columns, rows, style),
    names: rows.map(({ name }) => name),
  });
  if (rows.length > 0 || !isNamed) say(session, summarize(report, all));
  const code = reportFailures(session, ...reports);
  // The worst come first, so they keep their place among the few that are printed.
  const unwell = rows.filter(({ health }) => health !== 'Healthy');
  suggest(
    session,
    unwell.map(({ fields }) => textOf(fields, 'command')),
  );
  const isFine = !rows.some(({ health }) => health === 'Degraded') && (isNamed || report.ok !== false);
  return code === exitCodes.fine && !isFine ? exitCodes.failed : code;
}

/** Whether the list itself failed, so that nothing is known of anything. */
function hasNothing(report: AnswerFields): boolean {
  return report.ok === false && report.summary === undefined;
}

async function failWithoutReport(
  session: CommandSession,
  reports: readonly AnswerFields[],
): Promise<ExitCode> {
  await printResult(session, { data: reports[0], text: () => '', names: [] });
  return reportFailures(session, ...reports);
}

/** The report of what is named. Of others it is a report over everything: certificates tell of them. */
function callStatus(
  session: CommandSession,
  { certificates, others }: NamedSubjects,
): Promise<readonly AnswerFields[]> {
  const events = [
    ...(certificates.length > 0 || others.length === 0 ? [namesField(certificates)] : []),
    ...(others.length > 0 ? [{}] : []),
  ];
  return Promise.all(events.map((event) => session.call('status', event, { isRead: true })));
}

/** What is fine beside certificates is only in the wide table. */
function isShown(output: OutputFormat): (row: StatusRow) => boolean {
  return (row) => row.health !== 'Healthy' || isCertificate(row) || output === 'wide';
}

function isCertificate({ name }: StatusRow): boolean {
  return !name.includes('/');
}

/** The certificates, what their troubles are because of, and what of their clusters is not well; the others,
 *  and what they make ill. */
function findNamed(
  reports: readonly AnswerFields[],
  { certificates, others }: NamedSubjects,
): readonly StatusRow[] {
  const rows = certificates.length > 0 ? listRows(reports[0] ?? {}) : [];
  const asked = rows.filter(isCertificate);
  const causes = new Set(asked.map(({ fields }) => textOf(fields, 'cause')));
  const around = new Set(asked.flatMap(({ fields }) => listOf(fields, 'targets').flatMap(placesOf)));
  const isIll = (row: StatusRow) => row.health !== 'Healthy' && around.has(row.name);
  const named = rows.filter((row) => asked.includes(row) || causes.has(row.name) || isIll(row));
  const last = reports.at(-1) ?? {};
  const found = findOthers(last, others).map(({ name }) => name);
  const ill = others.flatMap((name) => listAffected(last, name).map((fields) => textOf(fields, 'name')));
  const wanted = new Set([...found, ...ill]);
  const more = others.length > 0 ? listRows(last).filter(({ name }) => wanted.has(name)) : [];
  const known = new Set(named.map(({ name }) => name));
  return [...named, ...more.filter(({ name }) => !known.has(name))].toSorted(compareRows);
}

function placesOf(target: AnswerFields): readonly string[] {
  const [cluster = ''] = textOf(target, 'target').split('/');
  return [`cluster/${cluster}`, `agent/${cluster}`];
}

/** A line of the table: a certificate, or as `cluster/prod` something else. */
interface StatusRow {
  readonly name: string;
  readonly health: string;
  readonly days: number | undefined;
  readonly fields: AnswerFields;
}

const healthWords = ['Degraded', 'Suspended', 'Progressing', 'Healthy'];
const colours: Readonly<Record<string, Colour>> = {
  Degraded: 'red',
  Suspended: 'yellow',
  Progressing: 'cyan',
  Healthy: 'green',
};
function listRows(report: AnswerFields): readonly StatusRow[] {
  const certificates = listOf(report, 'certificates').map(
    (fields): StatusRow => ({ ...readRow(fields), days: soonestDays(fields, timeOf(report, 'at')) }),
  );
  const rest = listOthers(report).map(
    ({ name, fields }): StatusRow => ({ ...readRow(fields), name, days: undefined }),
  );
  return [...certificates, ...rest].toSorted(compareRows);
}

function readRow(fields: AnswerFields) {
  return { name: textOf(fields, 'name'), health: textOf(fields, 'health'), fields };
}

/** The worst first, then the soonest end; what has none comes first, because it may cause others. */
function compareRows(one: StatusRow, other: StatusRow): number {
  const rank = ({ health }: StatusRow) => (healthWords.indexOf(health) + healthWords.length + 1) % 5;
  const days = (row: StatusRow) => row.days ?? -Number.MAX_VALUE;
  return rank(one) - rank(other) || days(one) - days(other) || (one.name < other.name ? -1 : 1);
}

/** Days until the first end of what is stored or what a target holds. */
function soonestDays(fields: AnswerFields, at: Date | undefined): number | undefined {
  const stored = numberOf(fields, 'expiresInDays');
  const held = listOf(fields, 'targets').flatMap((target) => {
    const end = timeOf(fieldsOf(target.holds), 'notAfter');
    return end && at ? [(end.getTime() - at.getTime()) / 86_400_000] : [];
  });
  const all = stored === undefined ? held : [stored, ...held];
  return all.length === 0 ? undefined : Math.min(...all);
}

const columns: readonly TableColumn<StatusRow>[] = [
  { header: 'NAME', of: ({ name }) => name },
  { header: 'HEALTH', of: ({ health }) => health, colour: ({ health }) => colours[health] },
  { header: 'DAYS', isRight: true, of: ({ days }) => (days === undefined ? '-' : formatDaysLeft(days)) },
  {
    header: 'REASON',
    givesWay: 1,
    of: ({ fields, health }) => (health === 'Healthy' ? '' : textOf(fields, 'reason')),
  },
  { header: 'SOURCE', isWide: true, of: ({ fields }) => textOf(fields, 'source') },
  { header: 'SINCE', isWide: true, of: ({ fields }) => formatTime(timeOf(fields, 'since')) },
  { header: 'ENDS', isWide: true, of: ({ fields }) => formatTime(timeOf(fields, 'notAfter')) },
  { header: 'NEXT', isWide: true, of: ({ fields }) => describeNext(fieldsOf(fields.next)) },
  { header: 'DOMAINS', isWide: true, of: ({ fields }) => textsOf(fields, 'domains').join(',') },
  {
    header: 'MESSAGE',
    isFlexible: true,
    of: ({ fields }) => localizeTimes(textOf(fields, 'message')),
  },
];

function describeNext(next: AnswerFields): string {
  const at = timeOf(next, 'at');
  return at ? `${textOf(next, 'what')} ${formatTime(at)}` : textOf(next, 'what');
}

function summarize(report: AnswerFields, rows: readonly StatusRow[]): string {
  const summary = fieldsOf(report.summary);
  const counts = healthWords.flatMap((word) => {
    const count = numberOf(summary, word) ?? 0;
    return count > 0 ? [`${count} ${word}`] : [];
  });
  const soonest = fieldsOf(report.soonestExpiry);
  const days = numberOf(soonest, 'days');
  const end =
    days === undefined
      ? []
      : [
          `${days < 0 ? `first ended ${(-days).toFixed(1)} days ago` : `first end in ${days.toFixed(1)} days`}: ${textOf(soonest, 'certificate')}, ${textOf(soonest, 'place')}`,
        ];
  const omitted = numberOf(report, 'omitted');
  const more = omitted === undefined ? [] : [`${omitted} more are not listed`];
  const listed = counts.length > 0 ? counts.join(', ') : 'no certificates';
  const parts = [listed, ...countOthers(rows), ...end, ...more];
  return `${textOf(report, 'installation')}: ${parts.join('; ')}`;
}

/** What is not well beside certificates, with the names of a few. */
function countOthers(rows: readonly StatusRow[]): readonly string[] {
  const others = rows.filter((row) => !isCertificate(row) && row.health !== 'Healthy');
  const words = [...Map.groupBy(others, ({ health }) => health)].map(
    ([health, some]) =>
      `${some.length} ${health} (${nameSome(
        some.map(({ name }) => name),
        3,
      )})`,
  );
  return words.length > 0 ? [`beside them ${words.join(', ')}`] : [];
}
