// `certrelay forecast`: what will be ordered, delivered and paid.
import { oneLine } from '../../../lib/policy/bounds.ts';
import { invokeCommand } from '../../../lib/policy/commands.ts';
import { forecastFields } from '../../../lib/requests/forecast.ts';
import { type AnswerFields, fieldsOf, listOf, numberOf, textOf, textsOf, timeOf } from '../answer.ts';
import type { CommandOptions, RunCommand } from '../definitions.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { describeForecast, formatForecast, listOrdered } from '../forecasts.ts';
import { placeCommands } from '../place.ts';
import { printResult, reportFailures, say, suggest } from '../print.ts';
import { localizeTimes } from '../text.ts';

/** Runs it. It ends with `failed` if a certificate would end before it is renewed. */
export const run: RunCommand = async (session, _values, options) => {
  const report = await session.call('issue', readEvent(options), { isRead: true });
  const code = reportFailures(session, report);
  if (code !== exitCodes.fine) return code;
  if (!Array.isArray(report.days))
    throw new CommandError('failed', 'issue answered no forecast: update the installation');
  await printResult(session, {
    data: report,
    text: (style) => formatForecast(report, style),
    names: listOrdered(report),
  });
  say(session, describeForecast(report));
  for (const note of textsOf(report, 'notes')) say(session, `note: ${localizeTimes(note)}`);
  const ending = countEnding(report);
  if (ending === 0) return exitCodes.fine;
  const are = ending === 1 ? 'One certificate ends' : `${ending} certificates end`;
  say(session, `${are} in this time before a newer one is there`);
  placeCommands(session);
  suggest(session, [invokeCommand('status')]);
  return exitCodes.failed;
};

/** Options of the command, by field of the event. */
const optionOf = { forecast: 'for', lifetime: 'lifetime', reuse: 'reuse', from: 'from' } as const;

function readEvent(options: CommandOptions): Readonly<Record<string, string>> {
  const fields = Object.entries(optionOf).flatMap(([field, option]) => {
    const value = options[option];
    return typeof value === 'string' ? [{ field, option, value }] : [];
  });
  for (const { field, option, value } of fields) {
    const parsed = forecastFields[field as keyof typeof optionOf].safeParse(value);
    if (parsed.success) continue;
    const [problem] = parsed.error.issues;
    throw new CommandError(
      'usage',
      `--${option} ${problem?.message ?? 'is wrong'}: ${JSON.stringify(oneLine(value, 60))}`,
    );
  }
  return Object.fromEntries(fields.map(({ field, value }) => [field, value]));
}

/** Certificates whose last version ends within the forecast: ordered too late, or not at all. What is let go
 *  is meant to end. */
function countEnding(report: AnswerFields): number {
  const until = timeOf(report, 'until');
  const late = fieldsOf(report.lateOrders);
  const stopped = listOf(fieldsOf(report.notRenewed), 'list').filter((one) => {
    const end = timeOf(one, 'notAfter');
    const goesOn = timeOf(one, 'until');
    const isInTime = goesOn !== undefined && end !== undefined && goesOn < end;
    return end && until && end < until && !isInTime && textOf(one, 'reason') !== 'Retiring';
  });
  return listOf(late, 'list').length + (numberOf(late, 'omitted') ?? 0) + stopped.length;
}
