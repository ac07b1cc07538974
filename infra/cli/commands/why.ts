// `certrelay why`: all that is known of one certificate, as one story.
import { type AnswerFields, fieldsOf, listOf, numberOf, textOf, textsOf, timeOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { type DeliveryRow, listDeliveries } from '../deliveries.ts';
import { exitCodes } from '../errors.ts';
import { readNames } from '../names.ts';
import { describeOrder, endingOf } from '../orders.ts';
import { printResult, reportFailures, suggest } from '../print.ts';
import type { TableStyle } from '../table.ts';
import { formatTime, localizeTimes, paint, wrapText } from '../text.ts';

/** Runs it: what `status` remembers, and what `issue` and `deploy` would do now. */
export const run: RunCommand = async (session, [given]) => {
  const certificates = readNames(given);
  const manner = { isRead: true };
  const [status, orders, deliveries] = await Promise.all([
    session.call('status', { certificates }, manner),
    session.call('issue', { certificates, dryRun: true }, manner),
    session.call('deploy', { certificates, dryRun: true }, manner),
  ]);
  const [certificate] = listOf(status, 'certificates');
  if (!certificate) return reportFailures(session, status, orders, deliveries);
  const story: Story = {
    certificate,
    cause: findCause(status, textOf(certificate, 'cause')),
    order: listOf(orders, 'certificates')[0] ?? {},
    deliveries: listDeliveries(deliveries),
  };
  await printResult(session, {
    data: { certificate, orders, deliveries },
    text: (style) => tell(story, style),
    names: certificates,
  });
  suggest(session, [textOf(certificate, 'command')]);
  const code = reportFailures(session, status, orders, deliveries);
  const isFine = textOf(certificate, 'health') !== 'Degraded';
  return code === exitCodes.fine && !isFine ? exitCodes.failed : code;
};

interface Story {
  readonly certificate: AnswerFields;
  /** What its trouble is because of, if that is told elsewhere. */
  readonly cause: AnswerFields | undefined;
  readonly order: AnswerFields;
  readonly deliveries: readonly DeliveryRow[];
}

function findCause(status: AnswerFields, cause: string): AnswerFields | undefined {
  const [kind = '', name = ''] = cause.split('/');
  return listOf(status, `${kind}s`).find((other) => textOf(other, 'name') === name);
}

/** Lines of a name and what is to be said of it. */
type Part = readonly (readonly [label: string, words: string])[];

function tell({ certificate, cause, order, deliveries }: Story, style: TableStyle): string {
  const parts: readonly (readonly [title: string, part: Part])[] = [
    [textOf(certificate, 'name'), tellHealth(certificate, cause)],
    ['Order', tellOrder(certificate, order)],
    ...listOf(certificate, 'targets').map((target): readonly [string, Part] => {
      const name = textOf(target, 'target');
      return [
        `Target ${name}`,
        tellTarget(
          target,
          deliveries.filter((row) => row.target === name),
        ),
      ];
    }),
  ];
  return parts.map(([title, part]) => formatPart(title, part, style)).join('\n');
}

function tellHealth(certificate: AnswerFields, cause: AnswerFields | undefined): Part {
  const since = timeOf(certificate, 'since');
  const next = fieldsOf(certificate.next);
  const nextAt = timeOf(next, 'at');
  return [
    ['health', `${textOf(certificate, 'health')}, ${textOf(certificate, 'reason')}`],
    ['why', textOf(certificate, 'message')],
    ['because of', cause ? `${textOf(certificate, 'cause')}: ${textOf(cause, 'message')}` : ''],
    ['since', since ? formatTime(since) : ''],
    ['next', nextAt ? `${textOf(next, 'what')} at ${formatTime(nextAt)}` : ''],
    ['domains', textsOf(certificate, 'domains').join(', ')],
    ['source', textOf(certificate, 'source')],
    ...listOf(certificate, 'conditions').map((condition): readonly [string, string] => [
      textOf(condition, 'type').toLowerCase(),
      `${textOf(condition, 'status')}: ${textOf(condition, 'message')}`,
    ]),
  ];
}

function tellOrder(certificate: AnswerFields, order: AnswerFields): Part {
  const end = timeOf(certificate, 'notAfter');
  const days = numberOf(certificate, 'expiresInDays');
  const renews = timeOf(certificate, 'renewsAt');
  const until = timeOf(order, 'until');
  return [
    [
      'stored',
      end ? `valid until ${formatTime(end)}${days === undefined ? '' : `, ${days} days`}` : 'nothing',
    ],
    ['version', textOf(certificate, 'version')],
    ['renews', renews ? formatTime(renews) : ''],
    ['now', [endingOf(order), textOf(order, 'reason'), describeOrder(order)].filter(Boolean).join(': ')],
    ['waits until', until ? formatTime(until) : ''],
  ];
}

function tellTarget(target: AnswerFields, rows: readonly DeliveryRow[]): Part {
  const holds = fieldsOf(target.holds);
  const end = timeOf(holds, 'notAfter');
  const version = textOf(holds, 'version');
  return [
    ['health', `${textOf(target, 'health')}, ${textOf(target, 'reason')}`],
    ['why', textOf(target, 'message')],
    ['holds', version === '' ? '' : `${version}${end ? `, valid until ${formatTime(end)}` : ''}`],
    ['served', textOf(target, 'served')],
    ...rows.map((row): readonly [string, string] => [
      'now',
      [row.outcome, row.action, row.message].filter((words) => words !== '').join(': '),
    ]),
  ];
}

const labelWidth = 13;

function formatPart(title: string, part: Part, { width = Infinity, isColoured }: TableStyle): string {
  const lines = part
    .filter(([, words]) => words !== '')
    .flatMap(([label, words]) => {
      const wrapped = wrapText(localizeTimes(words), Math.max(16, width - labelWidth - 2));
      return wrapped.map((line, index) => `  ${(index === 0 ? label : '').padEnd(labelWidth)}${line}`);
    });
  return `${[isColoured ? paint(title, 'bold') : title, ...lines].join('\n')}\n`;
}
