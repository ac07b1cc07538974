// `certrelay plan`: what would be ordered and delivered now.
import { listOf, textOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { describeHandedOn, formatDeliveries } from '../deliveries.ts';
import { namesField, readNames } from '../names.ts';
import { describeOmitted, describePrediction, formatOrders } from '../orders.ts';
import { printResult, reportUnshown, say } from '../print.ts';

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
  return reportUnshown(session, { shown }, orders, deliveries);
};
