// `certrelay why`: all that is known of one certificate, or of a cluster or the like, as one story.
import { formatDaysLeft } from '../../../lib/policy/words.ts';
import { type AnswerFields, fieldsOf, listOf, numberOf, textOf, textsOf, timeOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { type DeliveryRow, listDeliveries } from '../delivery-rows.ts';
import { exitCodes } from '../errors.ts';
import { readSubjects } from '../names.ts';
import { describeOrder, endingOf } from '../orders.ts';
import { printResult, reportFailures, suggest } from '../print.ts';
import { formatStory, type StoryPart } from '../story.ts';
import { formatTime } from '../text.ts';

/** Runs it: what `status` remembers, and what `issue` and `deploy` would do now. */
export const run: RunCommand = async (session, [given]) => {
  const { certificates, others } = readSubjects(given);
  const [other] = others;
  if (other !== undefined) {
    const { tellOther } = await import('./why-other.ts');
    return tellOther(session, other);
  }
  const manner = { isRead: true };
  const [status, orders, deliveries] = await Promise.all([
    session.call('status', { certificates }, manner),
    session.call('issue', { certificates, dryRun: true }, manner),
    session.call('deploy', { certificates, dryRun: true }, manner),
  ]);
  const [certificate] = listOf(status, 'certificates');
  if (!certificate) return reportFailures(session, status);
  const story: Story = {
    certificate,
    cause: findCause(status, textOf(certificate, 'cause')),
    at: timeOf(status, 'at'),
    order: listOf(orders, 'certificates')[0] ?? {},
    refusals: [orders, deliveries].flatMap(listRefusals),
    deliveries: listDeliveries(deliveries),
  };
  await printResult(session, {
    data: { certificate, orders, deliveries },
    text: (style) => formatStory(tell(story), style),
    names: certificates,
  });
  suggest(session, [textOf(certificate, 'command')]);
  const tried = isUnwanted(certificate) ? [] : [orders, deliveries].map(withoutRefusals);
  const code = reportFailures(session, status, ...tried);
  const isFine = textOf(certificate, 'health') !== 'Degraded';
  return code === exitCodes.fine && !isFine ? exitCodes.failed : code;
};

/** Whether nobody asks for it: then `issue` and `deploy` refuse it, and its health says what to do. */
function isUnwanted(certificate: AnswerFields): boolean {
  return textOf(certificate, 'source') === 'none';
}

/** Codes with which `issue` and `deploy` say that there is nothing for them to do with a certificate that
 *  `status` knows: that is a part of its story, and no mistake of whoever asks. */
const refusalCodes = new Set(['Unknown', 'NotStored', 'Retiring']);

function listRefusals(answer: AnswerFields): readonly string[] {
  return listOf(answer, 'failures').flatMap((one) =>
    refusalCodes.has(textOf(one, 'code')) ? [textOf(one, 'message')] : [],
  );
}

function withoutRefusals(answer: AnswerFields): AnswerFields {
  const failures = listOf(answer, 'failures').filter((one) => !refusalCodes.has(textOf(one, 'code')));
  return { ...answer, failures };
}

interface Story {
  readonly certificate: AnswerFields;
  /** What its trouble is because of, if that is told elsewhere. */
  readonly cause: AnswerFields | undefined;
  /** When that was judged. */
  readonly at: Date | undefined;
  readonly order: AnswerFields;
  /** Why `issue` or `deploy` has nothing to do with it. */
  readonly refusals: readonly string[];
  readonly deliveries: readonly DeliveryRow[];
}

function findCause(status: AnswerFields, cause: string): AnswerFields | undefined {
  const [kind = '', name = ''] = cause.split('/');
  return listOf(status, `${kind}s`).find((other) => textOf(other, 'name') === name);
}

type Lines = StoryPart['lines'];

/** Targets of which only `deploy` knows: those that a registration named itself. */
function tellOthers(certificate: AnswerFields, rows: readonly DeliveryRow[]): readonly StoryPart[] {
  const told = new Set(listOf(certificate, 'targets').map((target) => textOf(target, 'target')));
  const others = rows.filter(({ target }) => target !== '' && !told.has(target));
  const grouped = Map.groupBy(others, ({ target }) => target);
  return [...grouped].map(([name, own]) => ({ title: `Target ${name}`, lines: own.map(tellRow) }));
}

function tellRow({ outcome, action, message }: DeliveryRow): readonly [string, string] {
  return ['now', [outcome, action, message].filter((words) => words !== '').join(': ')];
}

function tell({ certificate, cause, at, order, refusals, deliveries }: Story): readonly StoryPart[] {
  return [
    { title: textOf(certificate, 'name'), lines: tellHealth(certificate, cause) },
    { title: 'Order', lines: tellOrder(certificate, order, refusals) },
    ...listOf(certificate, 'targets').map((target): StoryPart => {
      const name = textOf(target, 'target');
      const rows = deliveries.filter((row) => row.target === name);
      return { title: `Target ${name}`, lines: tellTarget(target, rows, at) };
    }),
    ...tellOthers(certificate, deliveries),
  ];
}

function tellHealth(certificate: AnswerFields, cause: AnswerFields | undefined): Lines {
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

function tellOrder(certificate: AnswerFields, order: AnswerFields, refusals: readonly string[]): Lines {
  const end = timeOf(certificate, 'notAfter');
  const days = numberOf(certificate, 'expiresInDays');
  const renews = timeOf(certificate, 'renewsAt');
  const until = timeOf(order, 'until');
  const planned = [endingOf(order), textOf(order, 'reason'), describeOrder(order)].filter(Boolean).join(': ');
  const isLeft = isUnwanted(certificate) && textOf(order, 'reason') !== 'Retiring';
  const now = isLeft ? 'nothing: nobody asks for it' : planned || [...new Set(refusals)].join('; ');
  return [
    ['stored', end ? describeValidity(end, days) : 'nothing'],
    ['version', textOf(certificate, 'version')],
    ['renews', renews ? formatTime(renews) : ''],
    ['now', now],
    ['waits until', until ? formatTime(until) : ''],
  ];
}

/** `valid until …, 14.9 days`, or `expired at …, 1.1 days ago`. */
function describeValidity(end: Date, days: number | undefined): string {
  if (days === undefined) return `valid until ${formatTime(end)}`;
  if (days >= 0) return `valid until ${formatTime(end)}, ${days} days`;
  return `expired at ${formatTime(end)}, ${formatDaysLeft(days).replace(' ago', ' days ago')}`;
}

function tellTarget(target: AnswerFields, rows: readonly DeliveryRow[], at: Date | undefined): Lines {
  const holds = fieldsOf(target.holds);
  const end = timeOf(holds, 'notAfter');
  const version = textOf(holds, 'version');
  return [
    ['health', `${textOf(target, 'health')}, ${textOf(target, 'reason')}`],
    ['why', textOf(target, 'message')],
    ['holds', version === '' ? '' : `${version}${end ? `, ${describeValidity(end, daysTo(end, at))}` : ''}`],
    ['served', textOf(target, 'served')],
    ...rows.map(tellRow),
  ];
}

/** Days with one decimal, once something has ended; `undefined` before that. */
function daysTo(end: Date, at: Date | undefined): number | undefined {
  return at && end <= at ? Math.floor((end.getTime() - at.getTime()) / 8_640_000) / 10 : undefined;
}
