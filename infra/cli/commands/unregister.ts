// `certrelay unregister`: gives up, by the webhook, what the webhook has registered.
import { textOf } from '../answer.ts';
import { confirmNames } from '../changes.ts';
import type { RunCommand } from '../definitions.ts';
import { exitCodes } from '../errors.ts';
import { readNames } from '../names.ts';
import { findWebhook } from '../webhook/address.ts';
import { findRefusal, isKeptByOperator, keptByOperator } from '../webhook/answers.ts';
import { printAnswer, printRefusal } from '../webhook/print.ts';
import { sendRequest } from '../webhook/request.ts';

/** Runs it. A second time changes nothing. */
export const run: RunCommand = async (session, [given], options) => {
  const [name = ''] = readNames(given);
  const isRehearsal = options.dryRun === true;
  const address = await findWebhook(session, name, options);
  const stopped = await confirmNames(session, [name], {
    harm: 'Giving it up',
    wayBack: 'must be confirmed (restore brings it back for 30 days)',
    isSure: options.yes === true || isRehearsal,
    look: async () => {
      const request = { method: 'GET', name } as const;
      const answer = await sendRequest(session, address, request);
      const refusal = findRefusal(answer);
      return refusal && printRefusal(session, { request, answer, refusal });
    },
  });
  if (stopped !== undefined) return stopped;
  const request = { method: isRehearsal ? 'GET' : 'DELETE', name } as const;
  const answer = await sendRequest(session, address, request);
  const refusal = findRefusal(answer);
  if (refusal) return printRefusal(session, { request, answer, refusal });
  if (isRehearsal && isKeptByOperator(answer.body)) {
    await printAnswer(session, { request, answer, words: `would be refused: ${keptByOperator}` });
    return exitCodes.failed;
  }
  const isThere = !['leaving', 'gone'].includes(textOf(answer.body, 'status'));
  const isNew = isRehearsal ? isThere : answer.status === 202;
  const word = isRehearsal && isNew ? 'would be given up' : isNew ? 'given up' : 'unchanged';
  const message = textOf(answer.body, 'message');
  await printAnswer(session, { request, answer, words: message === '' ? word : `${word}: ${message}` });
  return exitCodes.fine;
};
