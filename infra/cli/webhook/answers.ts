// What an answer of the webhook means for whoever sent the request, and with which code a command ends.
import { toleranceMs } from '../../../lib/adapters/webhook/signature.ts';
import { type AnswerFields, listOf, textOf } from '../answer.ts';
import { type ExitCode, exitCodes } from '../errors.ts';
import type { WebhookAnswer } from './request.ts';

/** A request that was not done. */
export interface WebhookRefusal {
  readonly code: ExitCode;
  /** Each one line: what is wrong, then what to do. */
  readonly lines: readonly string[];
}

/** A difference of clocks that is worth a word, in milliseconds: less is the way of the answer. */
const leastOffMs = 3_000;

/** Why the request was not done; `undefined` if it was. */
export function findRefusal(answer: WebhookAnswer): WebhookRefusal | undefined {
  const { status, body, aheadMs } = answer;
  if (status === 200 || status === 202) return undefined;
  const said = textOf(body, 'message') || 'no reason given';
  const one = (code: ExitCode, words: string): WebhookRefusal => ({ code, lines: [words] });
  switch (status) {
    case 401:
      return one(exitCodes.refused, `${said}; ${explainUntaken(answer)}`);
    case 403:
      return one(exitCodes.failed, said);
    case 404:
      // The API in front of the webhook knows no name.
      if (textOf(body, 'name') === '') return one(exitCodes.usage, notThere);
      return one(
        exitCodes.usage,
        `${said}; "npx certrelay list" says what there is, and where it comes from`,
      );
    case 409: {
      if (textOf(body, 'reason') !== 'SentTooEarly') return one(exitCodes.failed, said);
      return one(exitCodes.failed, `${said}; ${describeClock(aheadMs, leastOffMs) ?? 'send it again'}`);
    }
    case 422:
      return { code: exitCodes.usage, lines: [`${said}:`, ...listOf(body, 'problems').map(describeProblem)] };
    case 429:
      return one(exitCodes.refused, `${said}: too many requests; send it again later`);
    default:
      if (status >= 500) return one(exitCodes.refused, `${said} (${status}); ${logOf(body)}`);
      return one(exitCodes.usage, `${said} (${status})`);
  }
}

/** What becomes of a name that the inventory has, too. */
export const keptByOperator = 'the operator keeps this certificate; ask the operator';

/** Whether the inventory has the name, too, as the answer to a GET says. Older installations do not say
 *  it. */
export function isKeptByOperator(standing: AnswerFields): boolean {
  return standing.keptByOperator === true;
}

const otherSecret =
  'sign with the secret of this installation (its AWS secret; one that was exchanged is known after a minute)';
const notThere =
  'nothing answers for names at this URL: it must be that of the deploy, with /domains; an older installation must be updated';

/** What to do about a signature that was not taken. A clock that is off by less than the webhook allows is
 *  never why; older installations give no reason. */
function explainUntaken({ body, aheadMs }: WebhookAnswer): string {
  if (textOf(body, 'reason') === 'WrongTime')
    return describeClock(aheadMs, leastOffMs) ?? 'set the clock of this machine, then send it again';
  return describeClock(aheadMs, toleranceMs) ?? otherSecret;
}

function logOf(body: AnswerFields): string {
  const id = textOf(body, 'requestId');
  return id === '' ? 'send it again later' : `send it again; the log of register has more under ${id}`;
}

function describeProblem(problem: AnswerFields): string {
  const at = textOf(problem, 'path');
  const words = textOf(problem, 'message');
  return at === '' ? words : `${at}: ${words}`;
}

/** What to do about a clock that is off by more than `mostMs`. */
function describeClock(aheadMs: number | undefined, mostMs: number): string | undefined {
  if (aheadMs === undefined || Math.abs(aheadMs) <= mostMs) return undefined;
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const much = seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
  return `the clock of this machine is ${much} ${aheadMs > 0 ? 'behind' : 'ahead'}: set it, then send it again`;
}
