// `certrelay deploy`: brings stored certificates to their targets.
import type { RunCommand } from '../definitions.ts';
import { printDeliveries } from '../deliveries.ts';
import { namesField, readNames } from '../names.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { target, cluster, dryRun }) => {
  const event = {
    ...namesField(readNames(given)),
    ...(target ? { targets: target } : {}),
    ...(cluster ? { clusters: cluster } : {}),
    ...(dryRun ? { dryRun } : {}),
  };
  const report = await session.call('deploy', event, { isRead: dryRun === true });
  return printDeliveries(session, report, { isPlan: dryRun === true });
};
