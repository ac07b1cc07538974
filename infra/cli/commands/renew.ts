// `certrelay renew`: orders what is due.
import { type AnswerFields, listOf, textOf, timeOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { namesField, readNames } from '../names.ts';
import { describeOmitted, describeOrder, describePrediction, endingOf, formatOrders } from '../orders.ts';
import { nothingAsked, printResult, reportUnshown, say, withoutTold } from '../print.ts';
import { formatTime } from '../text.ts';
import { findUndoneOrders, reportUndone } from '../undone.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { force, dryRun }) => {
  const names = readNames(given);
  if (force && names.length !== 1)
    throw new CommandError('usage', '--force takes exactly one certificate, such as renew shop --force');
  const event = { ...namesField(names), ...(force ? { force } : {}), ...(dryRun ? { dryRun } : {}) };
  const report = await session.call('issue', event, { isRead: dryRun === true });
  const lines = listOf(report, 'certificates');
  let shown = '';
  await printResult(session, {
    data: report,
    text: (style) => {
      shown =
        dryRun || style.isWide
          ? formatOrders(report, style)
          : lines.map((line) => describeEnding(line, report)).join('');
      return shown;
    },
    names: lines.map((line) => `certificate/${textOf(line, 'name')}`),
  });
  say(session, describePrediction(report));
  say(session, describeOmitted(report));
  const code = reportUnshown(session, { shown }, report);
  if (lines.length === 0 && code === exitCodes.fine) say(session, nothingAsked);
  // Of all certificates, what waits is told by `status`; a person has not asked for it.
  if (dryRun || names.length === 0) return code;
  return reportUndone(session, findUndoneOrders(report, { isForced: Boolean(force) }), report);
};

/** Words for endings that are no words of their own. */
const endings = new Map([
  ['wait', 'waits'],
  ['waiting', 'waits'],
  ['order', 'is due'],
]);

/** One line: `certificate/shop renewed, valid until …`. */
function describeEnding(line: AnswerFields, report: AnswerFields): string {
  const rest = withoutTold(report, describeOrder(line));
  const what = `certificate/${textOf(line, 'name')}`;
  const end = timeOf(line, 'notAfter');
  switch (endingOf(line)) {
    case 'issued':
      return `${what} renewed${end ? `, valid until ${formatTime(end)}` : ''}\n`;
    case 'keep':
    case 'kept':
      return `${what} unchanged: ${describeOrder(line)}\n`;
    default:
      return `${[`${what} ${endings.get(endingOf(line)) ?? endingOf(line)}`, rest].filter(Boolean).join(': ')}\n`;
  }
}
