// `certrelay plan`: what would be ordered and delivered now.
import { listOf, textOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { describeHandedOn, formatDeliveries } from '../deliveries.ts';
import { namesField, readNames } from '../names.ts';
import { describeOmitted, describePrediction, formatOrders } from '../orders.ts';
import { printResult, reportFailures, say } from '../print.ts';

/** Runs it: two dry runs at the same time. */
export const run: RunCommand = async (session, [given]) => {
  const event = { ...namesField(readNames(given)), dryRun: true };
  const manner = { isRead: true };
  const [orders, deliveries] = await Promise.all([
    session.call('issue', event, manner),
    session.call('deploy', event, manner),
  ]);
  await printResult(session, {
    data: { orders, deliveries },
    text: (style) =>
      [formatOrders(orders, style), formatDeliveries(deliveries, style)]
        .filter((part) => part !== '')
        .join('\n'),
    names: listOf(orders, 'certificates').map((line) => textOf(line, 'name')),
  });
  for (const words of [describePrediction(orders), describeOmitted(orders), describeHandedOn(deliveries)])
    say(session, words);
  return reportFailures(session, orders, deliveries);
};
