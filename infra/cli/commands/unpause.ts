// `certrelay unpause`: orders certificates again.
import { textOf } from '../answer.ts';
import { printChanges, rehearse } from '../changes.ts';
import type { RunCommand } from '../definitions.ts';
import { readNames } from '../names.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { dryRun }) => {
  const certificates = readNames(given);
  if (dryRun) return rehearse(session, certificates, 'would be unpaused');
  const report = await session.call('pause', { certificates, resume: true }, { isRead: false });
  return printChanges(session, report, (entry) =>
    textOf(entry, 'outcome') === 'unchanged' ? 'unchanged: it was not paused' : 'unpaused',
  );
};
