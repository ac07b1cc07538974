// `certrelay deploy`: brings stored certificates to their targets.
import type { RunCommand } from '../definitions.ts';
import { type DeliveryRow, describeHandedOn, formatDeliveries, listDeliveries } from '../deliveries.ts';
import { namesField, readNames } from '../names.ts';
import { describeOmitted } from '../orders.ts';
import { printResult, reportFailures, say } from '../print.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { target, cluster, dryRun }) => {
  const event = {
    ...namesField(readNames(given)),
    ...(target ? { targets: target } : {}),
    ...(cluster ? { clusters: cluster } : {}),
    ...(dryRun ? { dryRun } : {}),
  };
  const report = await session.call('deploy', event, { isRead: dryRun === true });
  const rows = listDeliveries(report);
  await printResult(session, {
    data: report,
    text: (style) =>
      dryRun || style.isWide ? formatDeliveries(report, style) : rows.map(describeRow).join(''),
    names: [...new Set(rows.map(({ certificate }) => `certificate/${certificate}`))],
  });
  for (const words of [describeOmitted(report), describeHandedOn(report)])
    if (words !== '') say(session, words);
  return reportFailures(session, report);
};

/** One line: `certificate/shop delivered to prod/shop/shop-tls`. */
function describeRow({ certificate, target, outcome, restarted, message }: DeliveryRow): string {
  const what = `certificate/${certificate}`;
  const restarts = restarted.length > 0 ? `, restarted ${restarted.join(', ')}` : '';
  switch (outcome) {
    case 'delivered':
      return `${what} delivered to ${target}${restarts}\n`;
    case 'unchanged':
      return `${what} unchanged in ${target}\n`;
    default:
      return `${[what, outcome, ...(target === '' ? [] : ['in', target])].join(' ')}: ${message}\n`;
  }
}
