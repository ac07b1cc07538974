// Shows what the webhook answered.
import { oneLine } from '../../../lib/policy/bounds.ts';
import type { ExitCode } from '../errors.ts';
import { printResult } from '../print.ts';
import type { CommandSession } from '../session.ts';
import { localizeTimes } from '../text.ts';
import type { WebhookRefusal } from './answers.ts';
import type { WebhookAnswer, WebhookRequest } from './request.ts';

interface ShownAnswer {
  readonly request: WebhookRequest;
  readonly answer: WebhookAnswer;
}

/** Prints `certificate/shop registered: …`. */
export async function printAnswer(
  session: CommandSession,
  { request, answer, words }: ShownAnswer & { readonly words: string },
): Promise<void> {
  const what = `certificate/${request.name}`;
  await printResult(session, {
    data: { ...answer.body, ok: true, failures: [] },
    text: () => `${what} ${localizeTimes(oneLine(words, 2_000))}\n`,
    names: [what],
  });
}

/** Prints why a request was not done, and returns the exit code. */
export async function printRefusal(
  session: CommandSession,
  { request, answer, refusal }: ShownAnswer & { readonly refusal: WebhookRefusal },
): Promise<ExitCode> {
  const { code, lines } = refusal;
  const message = lines.join(' ');
  const failures = [{ what: request.name, code: `Http${answer.status}`, message }];
  await printResult(session, { data: { ...answer.body, ok: false, failures }, text: () => '', names: [] });
  const shown = lines.map((line) => localizeTimes(line)).join('\n  ');
  session.terminal.err.write(`${request.name}: ${shown}\n`);
  return code;
}
