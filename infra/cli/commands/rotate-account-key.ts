// `certrelay rotate-account-key`: gives the account at an issuer's CA a new key.
import { textOf } from '../answer.ts';
import { confirmNames, lookBy } from '../changes.ts';
import type { RunCommand } from '../definitions.ts';
import { printResult, reportFailures } from '../print.ts';
import { localizeTimes } from '../text.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], { dryRun, yes }) => {
  const issuer = String(given);
  const isSure = yes === true || dryRun === true;
  const look = lookBy(session, 'issue', { rotateAccountKey: issuer, dryRun: true });
  const stopped = await confirmNames(session, [issuer], { harm: 'Exchanging the account key', isSure, look });
  if (stopped !== undefined) return stopped;
  const event = { rotateAccountKey: issuer, ...(dryRun ? { dryRun } : {}) };
  const answer = await session.call('issue', event, { isRead: dryRun === true });
  const outcome = textOf(answer, 'outcome');
  const name = `issuer/${textOf(answer, 'issuer')}`;
  await printResult(session, {
    data: answer,
    text: () => (outcome === '' ? '' : `${name} ${outcome}: ${localizeTimes(textOf(answer, 'message'))}\n`),
    names: outcome === '' ? [] : [name],
  });
  return reportFailures(session, answer);
};
