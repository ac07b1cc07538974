// `certrelay ack`: says that a trouble is known.
import { listOf, textOf } from '../answer.ts';
import type { RunCommand } from '../definitions.ts';
import { CommandError } from '../errors.ts';
import { printResult, reportFailures } from '../print.ts';

/** Runs it. The function says which subjects, times and troubles it takes. */
export const run: RunCommand = async (session, [given], { for: time, reason, dryRun }) => {
  const subjects = [...new Set(Array.isArray(given) ? given.map(String) : [])];
  const isEnd = /^0+[hdw]$/.test(String(time));
  if (!isEnd && reason === undefined)
    throw new CommandError('usage', '--reason is missing: say it for those who read it later');
  const event = { acknowledge: subjects, for: time, ...(reason === undefined ? {} : { reason }) };
  const report = await session.call('status', dryRun ? {} : event, { isRead: dryRun === true });
  const failed = new Set(listOf(report, 'failures').map((failure) => textOf(failure, 'what')));
  // A call that was refused as a whole fails for what is no subject.
  const isRefused = report.certificates === undefined;
  const done = isRefused ? [] : subjects.filter((subject) => !failed.has(subject));
  const word = `${dryRun ? 'would be ' : ''}${isEnd ? 'acknowledged no more' : `acknowledged for ${String(time)}`}`;
  const names = done.map((subject) => (subject.includes('/') ? subject : `certificate/${subject}`));
  await printResult(session, {
    data: report,
    text: () => names.map((name) => `${name} ${word}\n`).join(''),
    names,
  });
  return reportFailures(session, report);
};
