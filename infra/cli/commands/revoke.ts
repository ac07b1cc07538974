// `certrelay revoke`: has the CA take a certificate back.
import { type AnswerFields, textOf } from '../answer.ts';
import { confirmNames, lookBy, rehearse } from '../changes.ts';
import type { RunCommand } from '../definitions.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { readNames } from '../names.ts';
import { printResult, reportFailures } from '../print.ts';
import { localizeTimes } from '../text.ts';

/** Runs it. */
export const run: RunCommand = async (session, [given], options) => {
  const { replace, drill, version, reason, wait, dryRun, yes } = options;
  const [certificate = ''] = readNames(given);
  if ([replace, drill, version].filter(Boolean).length !== 1)
    throw new CommandError(
      'usage',
      'say exactly one of --replace (the one in use, once another is there), --version previous (one that is in use no more) and --drill (to practise, at a CA for tests)',
    );
  const what = drill ? 'replaced in a drill' : `revoked (${String(reason)})`;
  if (dryRun) return rehearse(session, [certificate], `would be ${replace ? 'replaced, then ' : ''}${what}`);
  const isSure = yes === true || drill === true;
  const look = lookBy(session, 'status', { certificates: [certificate] });
  const stopped = await confirmNames(session, [certificate], { harm: 'Revoking it', isSure, look });
  if (stopped !== undefined) return stopped;
  const event = {
    certificate,
    reason,
    ...(replace ? { replace } : {}),
    ...(drill ? { drill } : {}),
    ...(version ? { version } : {}),
    ...(wait ? { wait } : {}),
  };
  const answer = await session.call('revoke', event, { isRead: false });
  const isDone = textOf(answer, 'outcome') !== '' && textOf(answer, 'outcome') !== 'refused';
  const name = `certificate/${certificate}`;
  await printResult(session, {
    data: answer,
    text: () => (isDone ? `${name} ${describeAnswer(answer)}\n` : ''),
    names: isDone ? [name] : [],
  });
  const code = reportFailures(session, answer);
  // The same call goes on: until then the old one is valid.
  return code === exitCodes.fine && textOf(answer, 'outcome') === 'waiting' ? exitCodes.failed : code;
};

function describeAnswer(answer: AnswerFields): string {
  const message = localizeTimes(textOf(answer, 'message'));
  if (textOf(answer, 'outcome') !== 'revoked') return `${textOf(answer, 'outcome')}: ${message}`;
  return `revoked: version ${textOf(answer, 'version')}, serial ${textOf(answer, 'serial')}`;
}
