// `certrelay restore`: brings back certificates that are being let go.
import { printChanges } from '../changes.ts';
import type { RunCommand } from '../definitions.ts';
import { readNames } from '../names.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { dryRun }) => {
  const event = { restore: readNames(given), ...(dryRun ? { dryRun } : {}) };
  return printChanges(session, await session.call('retire', event, { isRead: dryRun === true }));
};
