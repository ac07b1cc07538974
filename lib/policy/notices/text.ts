// A notice in words, for channels that show plain text and as the start for those that show more.
import { cutText } from '../bounds.ts';
import type { Subject } from '../health/change.ts';
import { formatDaysLeft } from '../words.ts';
import type { Notice, NoticeEntry, TableRow } from './notice.ts';

/** The notice in one line of plain text: what, and how it stands. */
export function titleOf(notice: Notice): string {
  const { installation } = notice;
  switch (notice.event) {
    case 'Degraded':
    case 'Recovered': {
      const [first] = notice.entries;
      const others = notice.entries.length - 1 + notice.more;
      const rest = others > 0 ? `, and ${others} more` : '';
      return `${installation}: ${first ? `${describeSubject(first.subject)} ${describeHealth(first)}` : 'news'}${rest}`;
    }
    case 'Issued': {
      const others = notice.issued.length - 1 + notice.more;
      const [first] = notice.issued;
      return `${installation}: certificate ${first?.certificate ?? '?'} was issued${others > 0 ? `, and ${others} more` : ''}`;
    }
    case 'Digest':
      return `${installation}: ${describeSummary(notice.summary)}`;
    case 'Test':
      return `${installation}: a test, nothing is wrong`;
  }
}

/** `certificate shop`, `cluster prod`, `channel slack`. */
export function describeSubject({ kind, name }: Subject): string {
  return `${kind} ${name}`;
}

/** `is Degraded (PreflightFailed)`, `is Healthy again`. */
export function describeHealth({ health, previousHealth, reason }: NoticeEntry): string {
  if (health === 'Degraded') return `is Degraded (${reason})`;
  return health === 'Healthy' ? 'is Healthy again' : `is ${health} (${reason}), no longer ${previousHealth}`;
}

/** `12 Healthy, 1 Degraded`: the words that count. */
export function describeSummary(summary: Readonly<Record<string, number>>): string {
  const parts = Object.entries(summary).flatMap(([word, count]) => (count > 0 ? [`${count} ${word}`] : []));
  return `certificates: ${parts.join(', ') || 'none'}`;
}

/** What else there is to say of an entry, each in one line: names, since when, days left. */
export function factsOf(entry: NoticeEntry): readonly string[] {
  const { names, certificates, since, notAfter, expiresInDays } = entry;
  const listed = names.length > 0 ? `: ${names.join(', ')}` : '';
  const ill = certificates !== null && certificates > 0 ? [`certificates: ${certificates}${listed}`] : [];
  const own = certificates === null && names.length > 0 ? [`names${listed}`] : [];
  const left = expiresInDays === null ? [] : [describeDays(expiresInDays, notAfter)];
  return [...own, ...ill, `since ${formatInstant(since)}`, ...left];
}

/** `ends in 6.2 days (2026-12-06 12:00 UTC)`. */
function describeDays(days: number, notAfter: Date | null): string {
  const date = notAfter === null ? '' : ` (${formatInstant(notAfter)})`;
  return days < 0 ? `ended ${-days} days ago${date}` : `ends in ${days} days${date}`;
}

/** What stands for entries that a notice leaves out; empty if there are none. */
export function describeMore({ more }: Pick<Notice, 'more'>): string {
  return more > 0 ? `and ${more} more: call status to see all` : '';
}

/** Whether the notice comes much later than what it tells, and the words for it; empty if not. */
export function describeDelay({ at }: Pick<Notice, 'at'>, now: Date): string {
  const isLate = now.getTime() - at.getTime() > lateMs;
  return isLate ? `This comes late: it was so at ${formatInstant(at)}, and may be over.` : '';
}

const lateMs = 15 * 60_000;

/** `2026-11-30 08:15 UTC`. */
export function formatInstant(instant: Date): string {
  return `${instant.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The whole notice as lines of plain text, without its title. `now` tells whether it comes late. */
export function linesOf(notice: Notice, now: Date): readonly string[] {
  return [...bodyOf(notice), '', describeMore(notice), describeDelay(notice, now)].filter(
    (line, index, lines) => line !== '' || (index > 0 && lines[index - 1] !== ''),
  );
}

function bodyOf(notice: Notice): readonly string[] {
  switch (notice.event) {
    case 'Degraded':
    case 'Recovered':
      return notice.entries.flatMap((entry) => [
        `${describeSubject(entry.subject)} ${describeHealth(entry)}`,
        ...[entry.message, ...factsOf(entry)].map((line) => `  ${line}`),
        ...(entry.command === null ? [] : [`  next: ${entry.command}`]),
        '',
      ]);
    case 'Issued':
      return notice.issued.map(
        ({ certificate, names, issuer, notAfter }) =>
          `${certificate} by ${issuer}, until ${formatInstant(notAfter)}: ${names.join(', ')}`,
      );
    case 'Digest':
      return tableOf(notice.rows);
    case 'Test':
      return [testSentence];
  }
}

/** What a test notice says. */
export const testSentence = 'A person called notify with {"test": true}. Notices of Certrelay arrive here.';

/** The rows as a table in columns of plain text, with a line of titles. */
export function tableOf(rows: readonly TableRow[]): readonly string[] {
  const cells = rows.map((row) => [
    row.subject.kind === 'certificate' ? row.subject.name : describeSubject(row.subject),
    row.health,
    row.expiresInDays === null ? '-' : formatDaysLeft(row.expiresInDays),
    row.reason ?? '-',
    row.message ?? '',
  ]);
  const lines = [
    ['NAME', 'HEALTH', 'DAYS', 'REASON', ''],
    ...cells.map((line) => line.map((cell) => cutText(cell, 200))),
  ];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.min(40, Math.max(...lines.map((line) => (line[column] ?? '').length))),
  );
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
