// `certrelay rollback`: puts the version before back.
import type { RunCommand } from '../definitions.ts';
import { printDeliveries } from '../deliveries.ts';
import { readNames } from '../names.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { dryRun }) => {
  const event = { certificates: readNames(given), rollback: true, ...(dryRun ? { dryRun } : {}) };
  const report = await session.call('deploy', event, { isRead: dryRun === true });
  return printDeliveries(session, report, { isPlan: dryRun === true, isNamed: true, held: 'rolled back' });
};
