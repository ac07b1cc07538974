// `certrelay retire`: lets certificates go.
import { type AnswerFields, listOf, textOf } from '../answer.ts';
import { confirmNames, describeOutcome, lookBy, printChanges } from '../changes.ts';
import type { RunCommand } from '../definitions.ts';
import { readNames } from '../names.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { revoke, dryRun, yes }) => {
  const certificates = readNames(given);
  const harm =
    revoke === true
      ? 'Letting it go and revoking it'
      : revoke === false
        ? 'Letting it go without revoking it'
        : 'Letting it go';
  const wayBack = revoke ? 'cannot be taken back' : 'must be confirmed (restore brings it back for 30 days)';
  const event = { certificates, ...(revoke === undefined ? {} : { revoke }), ...(dryRun ? { dryRun } : {}) };
  const isSure = yes === true || dryRun === true;
  const look = lookBy(session, 'retire', { ...event, dryRun: true });
  const stopped = await confirmNames(session, certificates, { harm, wayBack, isSure, look });
  if (stopped !== undefined) return stopped;
  return printChanges(session, await session.call('retire', event, { isRead: dryRun === true }), describeEnd);
};

/** The line of a certificate, and one for each of its targets. */
function describeEnd(entry: AnswerFields): string {
  const targets = listOf(entry, 'targets').map(
    (target) => `\n  ${textOf(target, 'target')}: ${textOf(target, 'message')}`,
  );
  return `${describeOutcome(entry)}${targets.join('')}`;
}
