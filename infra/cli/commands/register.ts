// `certrelay register`: asks the webhook for a certificate, as a sender does.
import { readFile } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { load } from 'js-yaml';
import { largestBodyBytes } from '../../../lib/adapters/webhook/http.ts';
import { sameNames } from '../../../lib/certificate/names.ts';
import { domains as domainsSchema } from '../../../lib/inventory/fields.ts';
import { explainFileError } from '../../node/file-errors.ts';
import { type AnswerFields, fieldsOf, textOf, textsOf } from '../answer.ts';
import type { CommandOptions, RunCommand } from '../definitions.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { readNames } from '../names.ts';
import { findWebhook } from '../webhook/address.ts';
import { findRefusal, isKeptByOperator, keptByOperator } from '../webhook/answers.ts';
import { printAnswer, printRefusal } from '../webhook/print.ts';
import { sendRequest, type WebhookRequest, writeBody } from '../webhook/request.ts';

/** Runs it. A second time changes nothing. */
export const run: RunCommand = async (session, [given], options) => {
  const [name = ''] = readNames(given);
  const request = { method: 'PUT', name, fields: await readFields(name, options, session.signal) } as const;
  const bytes = Buffer.byteLength(writeBody(request));
  if (bytes > largestBodyBytes)
    throw new CommandError(
      'usage',
      `the request has ${bytes} bytes, and the webhook takes ${largestBodyBytes}: leave something out`,
    );
  const address = await findWebhook(session, name, options);
  if (options.dryRun !== true) {
    const answer = await sendRequest(session, address, request);
    const refusal = findRefusal(answer);
    if (refusal) return printRefusal(session, { request, answer, refusal });
    const word = answer.status === 202 ? 'registered' : 'unchanged';
    await printAnswer(session, { request, answer, words: `${word}: ${textOf(answer.body, 'message')}` });
    return exitCodes.fine;
  }
  const look = { method: 'GET', name } as const;
  const answer = await sendRequest(session, address, look);
  const refusal =
    answer.status === 404 && textOf(answer.body, 'name') === name ? undefined : findRefusal(answer);
  if (refusal) return printRefusal(session, { request: look, answer, refusal });
  const stands = compare(request, answer.status === 404 ? undefined : answer.body);
  await printAnswer(session, { request, answer, words: stands.words });
  return stands.isFine ? exitCodes.fine : exitCodes.failed;
};

/** What the webhook is likely to say, by how the name stands there. */
function compare(
  { fields = {} }: WebhookRequest,
  standing: AnswerFields | undefined,
): { readonly words: string; readonly isFine: boolean } {
  const asked = domainsSchema.safeParse(fields.domains);
  if (!asked.success) {
    const words = asked.error.issues.map(({ message }) => message).join('; ');
    return { words: `would be refused: domains: ${words}`, isFine: false };
  }
  const domains = asked.data;
  if (!standing)
    return { words: `would be registered, if the inventory allows it: ${domains.join(', ')}`, isFine: true };
  const status = textOf(standing, 'status');
  if (status === 'leaving' || status === 'gone')
    return { words: `would be refused: ${textOf(standing, 'message')}`, isFine: false };
  if (isKeptByOperator(standing)) return { words: `would be refused: ${keptByOperator}`, isFine: false };
  const registered = textsOf(standing, 'domains');
  // More than fits into tags is not told.
  const isTold = registered.length > 0;
  if (isTold && !sameNames(domains, registered))
    return { words: `would be refused: it is registered for ${registered.join(', ')}`, isFine: false };
  const stands = `it is registered, and ${status}`;
  const unknown = !isTold ? 'domains' : (fields.targets ?? undefined) === undefined ? undefined : 'targets';
  if (unknown === undefined) return { words: `would be unchanged: ${stands}`, isFine: true };
  const words = `would be unchanged or refused: ${stands}; whether with the same ${unknown} is not known`;
  return { words, isFine: true };
}

/** `domains`, and `targets` if some are said; or what the file says. */
async function readFields(
  name: string,
  { domain, target, file }: CommandOptions,
  signal: AbortSignal,
): Promise<AnswerFields> {
  const domains = listTexts(domain);
  const targets = listTexts(target).map(readTarget);
  if (typeof file !== 'string') {
    if (domains.length > 0) return { domains, ...(targets.length > 0 ? { targets } : {}) };
    throw new CommandError(
      'usage',
      `say the domains, as in: register ${name} --domain shop.example.com; or give a file by -f`,
    );
  }
  if (domains.length + targets.length > 0)
    throw new CommandError(
      'usage',
      'the file of -f says domains and targets: leave --domain and --target out',
    );
  return readRequestFile(name, file, signal);
}

async function readRequestFile(name: string, path: string, signal: AbortSignal): Promise<AnswerFields> {
  const source = path === '-' ? 'stdin' : path;
  let read: unknown;
  try {
    const isStdin = path === '-';
    read = load(
      isStdin
        ? await text(addAbortSignal(signal, process.stdin))
        : await readFile(path, { encoding: 'utf8', signal }),
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new CommandError('usage', `${source} cannot be read: ${explainFileError(error)}`);
  }
  const { name: said, method: _, ...fields } = fieldsOf(read);
  if (said !== undefined && said !== name)
    throw new CommandError(
      'usage',
      `${source} is about another name than ${name}: say the same name in both`,
    );
  if (fields.domains === undefined)
    throw new CommandError(
      'usage',
      `${source} must be JSON or YAML with domains, such as domains: [shop.example.com]`,
    );
  return fields;
}

function listTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function readTarget(said: string) {
  const [cluster = '', namespace = '', secret = '', ...more] = said.split('/');
  if (cluster === '' || namespace === '' || secret === '' || more.length > 0)
    throw new CommandError('usage', '--target must be cluster/namespace/secret, such as prod/shop/shop-tls');
  return { cluster, namespace, secret };
}
