// Sends a signed request to the webhook, and reads its answer.
import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { oneLine } from '../../../lib/policy/bounds.ts';
import { toError } from '../../../lib/ports/errors.ts';
import { type AnswerFields, fieldsOf } from '../answer.ts';
import { findErrorCode } from '../aws-errors.ts';
import { CommandError } from '../errors.ts';
import type { CommandSession } from '../session.ts';
import { startSpinner } from '../spinner.ts';
import type { WebhookAddress } from './address.ts';

/** What is asked for. */
export interface WebhookRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** The certificate. */
  readonly name: string;
  /** Of a PUT, beside method and name. */
  readonly fields?: AnswerFields;
}

/** What the webhook said: JSON of ours, or of the API in front of it. */
export interface WebhookAnswer {
  readonly status: number;
  readonly body: AnswerFields;
  /** How much later it is there than here, in milliseconds; `undefined` if the answer does not say. */
  readonly aheadMs: number | undefined;
}

/** How long an answer may take, in milliseconds: the API's own limit, and some more. */
const mostMs = 35_000;
/** Characters of an answer. */
const longestAnswer = 200_000;

/** The body of a request, exactly as it is signed. */
export function writeBody({ method, name, fields = {} }: WebhookRequest): string {
  return JSON.stringify({ method, name, ...fields });
}

/** Sends it once. @throws CommandError if something else than the webhook answers, or nothing. */
export async function sendRequest(
  session: CommandSession,
  { url, secrets }: WebhookAddress,
  request: WebhookRequest,
): Promise<WebhookAnswer> {
  const { terminal, signal } = session;
  const { method, name } = request;
  const body = writeBody(request);
  const [id, sentAt] = [`msg_${randomUUID()}`, terminal.now()];
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
    // Who exchanges a secret has two for a while, and either may be known.
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, sentAt, body)).join(' '),
    ...(method === 'PUT' && { 'content-type': 'application/json' }),
  };
  const spinner = startSpinner('register', { terminal, isQuiet: session.options.quiet === true, signal });
  try {
    const response = await fetch(`${url}/${name}`, {
      method,
      headers,
      // Without a body it is this text that is signed.
      ...(method === 'PUT' && { body }),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(mostMs)]),
    });
    return await readAnswer(response, terminal.now());
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof CommandError ? error : explainUnreached(error, url);
  } finally {
    spinner?.stop();
  }
}

async function readAnswer(response: Response, now: Date): Promise<WebhookAnswer> {
  const { status, headers } = response;
  const host = new URL(response.url).host;
  if (status >= 300 && status < 400) {
    const location = oneLine(headers.get('location') ?? 'elsewhere', 200);
    const advice = 'requests are not sent on; give the URL that the deploy has printed, by --url';
    throw new CommandError('usage', `${host} redirects to ${location}: ${advice}`);
  }
  const text = await readText(response);
  const answered = Date.parse(headers.get('date') ?? '');
  const aheadMs = Number.isNaN(answered) ? undefined : answered - now.getTime();
  const body = parse(text);
  if (body) return { status, body, aheadMs };
  const kind = /^\s*</.test(text) ? 'a page of HTML' : 'something that is not JSON';
  const words = `${host} answered ${status} with ${kind}`;
  if (status >= 500) throw new CommandError('refused', `${words}: it has a failure; send it again later`);
  throw new CommandError(
    'usage',
    `${words}: that is not the webhook; look at --url, and whether a proxy answers`,
  );
}

/** The text, as far as it may be an answer. */
async function readText(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > longestAnswer) return '';
  }
  return text;
}

function parse(text: string): AnswerFields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? fieldsOf(value) : undefined;
  } catch {
    return undefined;
  }
}

function explainUnreached(thrown: unknown, url: string): CommandError {
  const error = toError(thrown);
  const { host } = new URL(url);
  if (error.name === 'TimeoutError')
    return new CommandError(
      'refused',
      `${host} did not answer in ${mostMs / 1000} seconds: send it again; a request that it has had already changes nothing more`,
    );
  const code = findErrorCode(error) || oneLine(error.message, 200);
  return new CommandError('network', `${host} cannot be reached (${code}): check the network and --url`);
}
