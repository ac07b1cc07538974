// Shows a forecast of `issue`: what happens by day or week, what waits, and what a month costs.
import { type AnswerFields, fieldsOf, listOf, numberOf, textOf, textsOf, timeOf } from './answer.ts';
import { formatTable, type TableColumn, type TableStyle } from './table.ts';
import { formatTime, localizeTimes, wrapText } from './text.ts';

/** More days than these are told by week. */
const mostDays = 31;
/** Rows of a list that is about certificates; a wide table has all that the answer has. */
const mostRows = 10;
/** Certificates that a day or a week names. */
const mostNames = 10;

/** The tables of a forecast, with their titles. What has nothing to say is left out. */
export function formatForecast(report: AnswerFields, style: TableStyle): string {
  const parts = [
    formatTimes(report, style),
    formatList(report, style, {
      key: 'lateOrders',
      title: 'Certificates that end before they are ordered',
      columns: lateColumns,
    }),
    formatList(report, style, {
      key: 'waitingOrders',
      title: 'Orders that wait for a limit of their CA',
      columns: limitColumns,
    }),
    formatList(report, style, {
      key: 'waitingDeliveries',
      title: 'Deliveries that wait for a window',
      columns: windowColumns,
    }),
    formatList(report, style, {
      key: 'notRenewed',
      title: 'Not renewed before a person acts, or something changes',
      columns: notRenewedColumns,
    }),
    ...listOf(report, 'issuers').map((issuer) => formatIssuer(issuer, style)),
    formatCost(fieldsOf(report.cost), style),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** Names of the certificates that are ordered, as far as the days name them. */
export function listOrdered(report: AnswerFields): readonly string[] {
  return [...new Set(listOf(report, 'days').flatMap(namesOf))];
}

/** The sums in one line. */
export function describeForecast(report: AnswerFields): string {
  const summary = fieldsOf(report.summary);
  const of = (key: string) => numberOf(summary, key) ?? 0;
  const [from, until] = [timeOf(report, 'from'), timeOf(report, 'until')];
  const span = from && until ? `from ${formatTime(from)} until ${formatTime(until)}: ` : '';
  return [
    `${span}${count(of('renewals'), 'renewal')} and ${count(of('firstOrders'), 'first order')} of ${count(of('certificates'), 'certificate')}`,
    count(of('deliveries'), 'delivery', 'deliveries'),
    count(of('zoneChanges'), 'Route 53 change'),
  ].join(', ');
}

function count(many: number, one: string, more = `${one}s`): string {
  return `${many} ${many === 1 ? one : more}`;
}

function formatPart(title: string, table: string, style: TableStyle): string {
  return `${wrapText(title, style.width ?? Number.MAX_SAFE_INTEGER).join('\n')}\n${table}`;
}

/** A list of the answer that has its first entries, and the number of the others. */
function formatList(
  report: AnswerFields,
  style: TableStyle,
  part: {
    readonly key: string;
    readonly title: string;
    readonly columns: readonly TableColumn<AnswerFields>[];
  },
): string {
  const short = fieldsOf(report[part.key]);
  const rows = listOf(short, 'list');
  const shown = style.isWide ? rows : rows.slice(0, mostRows);
  const left = rows.length - shown.length + (numberOf(short, 'omitted') ?? 0);
  if (shown.length === 0) return '';
  const title = left > 0 ? `${part.title} (and ${left} more)` : part.title;
  return formatPart(title, formatTable(part.columns, shown, style), style);
}

/** Counts of a day, or of a week that begins with it. */
interface CountedTime {
  readonly day: string;
  readonly counts: AnswerFields;
  readonly names: readonly string[];
  /** Orders that are not named. */
  readonly omitted: number;
}

function formatTimes(report: AnswerFields, style: TableStyle): string {
  const days = listOf(report, 'days');
  if (days.length === 0) return 'Nothing is ordered or delivered in this time.\n';
  const isByWeek = !style.isWide && days.length > mostDays;
  const groups = Map.groupBy(days, (day) => {
    const text = textOf(day, 'day');
    return isByWeek ? mondayOf(text) : text;
  });
  const rows = [...groups].map(([day, of]) => countTime(day, of));
  const header = isByWeek ? 'WEEK OF (UTC)' : 'DAY (UTC)';
  return formatTable([{ header, of: ({ day }) => day }, ...times], rows, style);
}

const counted = ['firstOrders', 'deliveries', 'values', 'zoneChanges'];

function countTime(day: string, days: readonly AnswerFields[]): CountedTime {
  const sum = (key: string) => days.reduce((total, one) => total + (numberOf(one, key) ?? 0), 0);
  const counts = Object.fromEntries(counted.map((key) => [key, sum(key)]));
  return {
    day,
    counts: { ...counts, orders: sum('renewals') + sum('firstOrders') },
    names: [...new Set(days.flatMap(namesOf))],
    omitted: days.reduce((total, one) => total + (numberOf(fieldsOf(one.certificates), 'omitted') ?? 0), 0),
  };
}

function namesOf(day: AnswerFields): readonly string[] {
  return textsOf(fieldsOf(day.certificates), 'list');
}

/** The Monday of the week of a day, both as `2026-12-01`. What is no day stays. */
function mondayOf(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(at.getTime())) return day;
  at.setUTCDate(at.getUTCDate() - ((at.getUTCDay() + 6) % 7));
  return at.toISOString().slice(0, 10);
}

const counter = (header: string, key: string, more: Partial<TableColumn<CountedTime>> = {}) => ({
  header,
  isRight: true as const,
  of: ({ counts }: CountedTime) => String(numberOf(counts, key) || ''),
  ...more,
});

const times: readonly TableColumn<CountedTime>[] = [
  counter('ORDERS', 'orders'),
  counter('FIRST', 'firstOrders', { givesWay: 1 }),
  counter('DELIVERIES', 'deliveries', { givesWay: 2 }),
  counter('TXT VALUES', 'values', { isWide: true }),
  counter('ROUTE 53', 'zoneChanges', { givesWay: 3 }),
  {
    header: 'CERTIFICATES',
    isFlexible: true,
    // The column of orders says how many there are.
    of: ({ names, omitted }) => {
      const isCut = omitted > 0 || names.length > mostNames;
      return [...names.slice(0, mostNames), ...(isCut ? ['…'] : [])].join(' ');
    },
  },
];

const instant = (key: string, none = '') => {
  return (row: AnswerFields) => {
    const time = timeOf(row, key);
    return time ? formatTime(time) : none;
  };
};

const name: TableColumn<AnswerFields> = { header: 'NAME', of: (row) => textOf(row, 'certificate') };

const lateColumns: readonly TableColumn<AnswerFields>[] = [
  { ...name, colour: () => 'red' },
  { header: 'ENDS', of: instant('notAfter') },
  { header: 'ORDERED', isFlexible: true, label: 'ordered ', of: instant('orderedAt') },
];

const limitColumns: readonly TableColumn<AnswerFields>[] = [
  name,
  { header: 'DUE', givesWay: 1, of: instant('from') },
  { header: 'ORDERED', of: instant('until') },
  { header: 'LIMIT', isFlexible: true, of: (row) => textOf(row, 'limit') },
];

const windowColumns: readonly TableColumn<AnswerFields>[] = [
  name,
  { header: 'ORDERED', givesWay: 1, of: instant('from') },
  {
    header: 'DELIVERED',
    of: (row) =>
      instant('until', 'no window opens')(row) + (row.isUrgent === true ? ', outside its window' : ''),
  },
  { header: 'TARGET', isFlexible: true, of: (row) => textOf(row, 'target') },
];

const notRenewedColumns: readonly TableColumn<AnswerFields>[] = [
  name,
  { header: 'REASON', of: (row) => textOf(row, 'reason') },
  { header: 'UNTIL', isWide: true, of: instant('until') },
  { header: 'ENDS', givesWay: 1, of: (row) => instant('notAfter')(row).slice(0, 10) },
  { header: 'MESSAGE', isFlexible: true, of: (row) => localizeTimes(textOf(row, 'message')) },
];

/** `Orders at ca.example: 124, …`, and the limits of the CA that matter. */
function formatIssuer(issuer: AnswerFields, style: TableStyle): string {
  const hasLimits = issuer.hasKnownLimits === true;
  const exempt = hasLimits ? (numberOf(issuer, 'exempt') ?? 0) : 0;
  const busiest = numberOf(fieldsOf(issuer.busiest), 'orders') ?? 0;
  const words = [
    `Orders at ${hostOf(textOf(issuer, 'directory'))}: ${numberOf(issuer, 'orders') ?? 0}`,
    ...(exempt > 0 ? [`${exempt} of them exempt from limits on domains`] : []),
    ...(busiest > 0 ? [`${busiest} in three hours at most`] : []),
    ...(hasLimits ? [] : ['its limits are not known']),
  ];
  const limits = formatTable(limitUseColumns, listOf(issuer, 'limits'), style);
  return formatPart(words.join(', '), limits, style);
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

const limitUseColumns: readonly TableColumn<AnswerFields>[] = [
  { header: 'LIMIT', of: (row) => textOf(row, 'what') },
  { header: 'USED', of: (row) => `${numberOf(row, 'used') ?? '?'} of ${numberOf(row, 'most') ?? '?'}` },
  { header: 'WAIT', isRight: true, givesWay: 1, of: (row) => String(numberOf(row, 'waiting') || '') },
];

function formatCost(cost: AnswerFields, style: TableStyle): string {
  const lines = listOf(cost, style.isWide ? 'lines' : 'services');
  if (lines.length === 0) return '';
  const title = `A month in US dollars, by list prices of ${textOf(cost, 'region')} in ${textOf(cost, 'pricesReadAt')}, without tax`;
  return formatPart(title, formatTable(costColumns, [...lines, { ...cost, service: 'all' }], style), style);
}

const money = (key: string) => (row: AnswerFields) => (numberOf(row, key) ?? 0).toFixed(2);

const costColumns: readonly TableColumn<AnswerFields>[] = [
  { header: 'SERVICE', of: (row) => textOf(row, 'service') },
  { header: 'USD', isRight: true, of: money('usd') },
  { header: 'WITH FREE TIER', isRight: true, givesWay: 1, of: money('usdWithFreeTier') },
  {
    header: 'QUANTITY',
    isWide: true,
    isRight: true,
    of: (row) => numberOf(row, 'quantity')?.toFixed(1) ?? '',
  },
  { header: 'UNIT', isWide: true, of: (row) => textOf(row, 'unit') },
];
