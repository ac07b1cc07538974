// `certrelay import`: takes over what another tool has.
import { type AnswerFields, textOf, textsOf, timeOf } from '../answer.ts';
import type { CommandOptions, RunCommand } from '../definitions.ts';
import { CommandError } from '../errors.ts';
import { readNames } from '../names.ts';
import { printResult, reportFailures, say } from '../print.ts';
import { formatTime, localizeTimes } from '../text.ts';

/** Runs it. The function says which of the options go together. */
export const run: RunCommand = async (session, [given], options) => {
  const [certificate] = readNames(given);
  const event = createEvent(certificate, options);
  const answer = await session.call('import', event, { isRead: options.dryRun === true });
  const outcome = textOf(answer, 'outcome');
  const name =
    options.account === undefined
      ? `certificate/${textOf(answer, 'certificate')}`
      : `issuer/${textOf(answer, 'issuer')}`;
  const isDone = outcome !== '' && outcome !== 'refused';
  await printResult(session, {
    data: answer,
    text: () => (isDone ? `${name} ${describeAnswer(answer)}\n` : ''),
    names: isDone ? [name] : [],
  });
  for (const note of textsOf(answer, 'notes')) say(session, localizeTimes(note));
  return reportFailures(session, answer);
};

/** All that was said, so that the function refuses what does not go together. */
function createEvent(certificate: string | undefined, options: CommandOptions) {
  const { secret, from, issuer, toolNamespace, takeOver, selfSigned, dryRun, account, replace } = options;
  if (replace && account === undefined)
    throw new CommandError('usage', '--replace is for an account: add --account, or leave it out');
  const source = { secret, from: from === undefined ? undefined : readPlace(from) };
  return {
    certificate,
    issuer,
    toolNamespace,
    takeOver,
    selfSigned,
    dryRun,
    ...(account === undefined ? source : { account: { issuer: account, ...source, replace } }),
  };
}

function readPlace(text: unknown) {
  const [cluster = '', namespace = '', secret = '', ...more] = String(text).split('/');
  if (cluster === '' || namespace === '' || secret === '' || more.length > 0)
    throw new CommandError('usage', '--from must be cluster/namespace/secret, such as prod/shop/shop-tls');
  return { cluster, namespace, secret };
}

function describeAnswer(answer: AnswerFields): string {
  const end = timeOf(answer, 'notAfter');
  const words = [textOf(answer, 'outcome'), ...(end ? [`valid until ${formatTime(end)}`] : [])];
  const next = textOf(answer, 'message');
  return [...words, ...(next === '' ? [] : [localizeTimes(next)])].join(', ');
}
