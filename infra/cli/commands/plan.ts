// `certrelay plan`: what would be ordered and delivered now.
import { listOf, textOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { describeHandedOn, formatDeliveries } from '../deliveries.ts';
import { exitCodes } from '../errors.ts';
import { namesField, readNames } from '../names.ts';
import { describeOmitted, describePrediction, formatOrders } from '../orders.ts';
import { nothingAsked, printResult, reportUnshown, say } from '../print.ts';

/** Runs it: two dry runs at the same time. */
export const run: RunCommand = async (session, [given]) => {
  const event = { ...namesField(readNames(given)), dryRun: true };
  const manner = { isRead: true };
  const [orders, deliveries] = await Promise.all([
    session.call('issue', event, manner),
    session.call('deploy', event, manner),
  ]);
  let shown = '';
  await printResult(session, {
    data: { orders, deliveries },
    text: (style) => {
      const tables = [formatOrders(orders, style), formatDeliveries(deliveries, style)];
      shown = tables.filter((part) => part !== '').join('\n');
      return shown;
    },
    names: listOf(orders, 'certificates').map((line) => textOf(line, 'name')),
  });
  for (const words of [describePrediction(orders), describeOmitted(orders), describeHandedOn(deliveries)])
    say(session, words);
  // What a table has in full is not said twice; one that is cut is said in full below it.
  const code = reportUnshown(session, { shown }, orders, deliveries);
  const isEmpty = [orders, deliveries].every((report) => listOf(report, 'certificates').length === 0);
  if (isEmpty && code === exitCodes.fine) say(session, nothingAsked);
  return code;
};
