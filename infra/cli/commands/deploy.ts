// `certrelay deploy`: brings stored certificates to their targets.
import type { RunCommand } from '../definitions.ts';
import { printDeliveries } from '../deliveries.ts';
import { namesField, readNames } from '../names.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { target, cluster, dryRun }) => {
  const names = readNames(given);
  const event = {
    ...namesField(names),
    ...(target ? { targets: target } : {}),
    ...(cluster ? { clusters: cluster } : {}),
    ...(dryRun ? { dryRun } : {}),
  };
  const report = await session.call('deploy', event, { isRead: dryRun === true });
  // Of everything, what waits is told by `status`; a person has not asked for it.
  const isNamed = names.length > 0 || Boolean(target) || Boolean(cluster);
  return printDeliveries(session, report, { isPlan: dryRun === true, isNamed });
};
