// Finds the webhook of an installation, and the secrets that requests to it are signed with.
import { readFile } from 'node:fs/promises';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { parseSecrets } from '../../../lib/adapters/webhook/secrets.ts';
import { toError } from '../../../lib/ports/errors.ts';
import { webhookOf } from '../../deploy/deployed-stack.ts';
import { explainFileError } from '../../node/file-errors.ts';
import { textOf } from '../answer.ts';
import { explainAwsError } from '../aws-errors.ts';
import { type CheckedAws, connectAws } from '../check/aws.ts';
import { describeMissing } from '../connection.ts';
import type { CommandOptions } from '../definitions.ts';
import { CommandError } from '../errors.ts';
import { findPlace } from '../place.ts';
import type { CommandSession } from '../session.ts';

/** Where requests go, and what they are signed with. */
export interface WebhookAddress {
  /** It ends with `/domains`. */
  readonly url: string;
  /** One, or several while they are exchanged. They are never shown. */
  readonly secrets: readonly string[];
}

/** The variables that say both without AWS; docs/webhook.md has the same for other senders. */
const urlVariable = 'CERTRELAY_WEBHOOK_URL';
const secretVariable = 'CERTRELAY_WEBHOOK_SECRET';

/** The URL is that of `--url`, the environment, or the stack; the secret that of `--secret-file`, the
 *  environment, or the AWS secret of the installation, which only `status` knows the prefix of.
 *  @param name A certificate, so that `status` looks at no other.
 *  @throws CommandError */
export async function findWebhook(
  session: CommandSession,
  name: string,
  options: CommandOptions,
): Promise<WebhookAddress> {
  const { terminal, signal } = session;
  refuseOtherPlace(options, terminal.env);
  const place = findPlace(options, terminal.env);
  const aws = await connectAws(place, terminal.env, signal);
  try {
    const [url, secrets] = await Promise.all([
      findUrl(aws, options, terminal.env),
      findSecrets(aws, options, { session, name }),
    ]);
    return { url: checkUrl(url), secrets };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    aws.close();
  }
}

type Environment = CommandSession['terminal']['env'];

/** The options that say which installation, as a variable does. */
const placeOptions = {
  stage: '--stage',
  installation: '--installation',
  region: '--region',
  endpointUrl: '--endpoint-url',
} as const;

/** The first option that says which installation. */
function findPlaceOption(options: CommandOptions): string | undefined {
  return Object.entries(placeOptions).find(([key]) => options[key] !== undefined)?.[1];
}

/** A variable that was set some day must not send to, or sign for, another installation than the options
 *  name. */
function refuseOtherPlace(options: CommandOptions, env: Environment): void {
  const option = findPlaceOption(options);
  if (option === undefined) return;
  const variables = [
    ...(typeof options.url !== 'string' && env[urlVariable] ? [urlVariable] : []),
    ...(typeof options.secretFile !== 'string' && env[secretVariable] ? [secretVariable] : []),
  ];
  if (variables.length === 0) return;
  const [are, say, them] = variables.length > 1 ? ['are', 'say', 'them'] : ['is', 'says', 'it'];
  throw new CommandError(
    'usage',
    `${variables.join(' and ')} ${are} set and ${say} which webhook, as ${option} does; leave the option out, or unset ${them}`,
  );
}

async function findUrl(aws: CheckedAws, options: CommandOptions, env: Environment): Promise<string> {
  if (typeof options.url === 'string') return options.url;
  const set = env[urlVariable];
  if (set) return set;
  const elsewhere = orVariable('give --url', urlVariable, options);
  if (!aws.canAsk('CLOUDFORMATION'))
    throw new CommandError(
      'usage',
      `the URL of the webhook is not known: ${describeMissing('CLOUDFORMATION')}; or ${elsewhere}`,
    );
  const asked = { what: `stack ${aws.stack}`, right: 'cloudformation:DescribeStacks', elsewhere };
  const command = new DescribeStacksCommand({ StackName: aws.stack });
  const { Stacks = [] } = await ask(aws, asked, (abortSignal) =>
    aws.cloudFormation.send(command, { abortSignal }),
  );
  const found = webhookOf(Stacks[0]?.Outputs);
  if (found !== undefined) return found;
  throw new CommandError(
    'failed',
    `the stack ${aws.stack} has no output HttpApiUrl: deploy again, or ${elsewhere}`,
  );
}

async function findSecrets(
  aws: CheckedAws,
  options: CommandOptions,
  { session, name }: { readonly session: CommandSession; readonly name: string },
): Promise<readonly string[]> {
  const { secretFile } = options;
  if (typeof secretFile === 'string') return readSecrets(secretFile, await readText(secretFile));
  const set = session.terminal.env[secretVariable];
  if (set) return readSecrets(secretVariable, set);
  const elsewhere = orVariable('give --secret-file', secretVariable, options);
  if (!aws.canAsk('SECRETS_MANAGER'))
    throw new CommandError(
      'usage',
      `the secret of the webhook is not known: ${describeMissing('SECRETS_MANAGER')}; or ${elsewhere}`,
    );
  const status = await session.call('status', { certificates: [name] }, { isRead: true });
  const prefix = textOf(status, 'installation');
  if (prefix === '')
    throw new CommandError('failed', `status did not say the prefix of AWS secrets: ${elsewhere}`);
  const secret = `${prefix}/webhook`;
  const right = `secretsmanager:GetSecretValue on ${secret}`;
  const asked = { what: `AWS secret ${secret}`, right, elsewhere };
  const found = await ask(aws, asked, (abortSignal) =>
    aws.secretsManager.send(new GetSecretValueCommand({ SecretId: secret }), { abortSignal }),
  );
  return readSecrets(`the AWS secret ${secret}`, found.SecretString ?? '');
}

/** How to do without AWS: by a variable only where no option names the installation. */
function orVariable(words: string, variable: string, options: CommandOptions): string {
  return findPlaceOption(options) === undefined ? `${words}, or set ${variable}` : words;
}

/** What is asked of AWS. `elsewhere`: how to do without. */
interface AskedThing {
  readonly what: string;
  readonly right: string;
  readonly elsewhere: string;
}

/** Asks AWS with the caller's own rights. @throws CommandError */
async function ask<Answer>(
  { lambda, signalOf }: CheckedAws,
  { what, right, elsewhere }: AskedThing,
  send: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await send(signalOf());
  } catch (thrown) {
    const { name, message } = toError(thrown);
    if (name === 'AccessDeniedException' || name === 'AccessDenied')
      throw new CommandError('refused', `AWS refused: you need ${right}; or ${elsewhere}`);
    if (name === 'ResourceNotFoundException' || message.includes('does not exist'))
      throw new CommandError(
        'refused',
        `there is no ${what}: name another installation by --stage and --region, deploy this one, or ${elsewhere}`,
      );
    const explained = explainAwsError(thrown, { region: await lambda.config.region(), what });
    throw new CommandError(explained.code, `${explained.message}; or ${elsewhere}`);
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CommandError('usage', `--secret-file ${path} cannot be read: ${explainFileError(error)}`);
  }
}

/** @param from Where they are, for the error: it must not have the text. */
function readSecrets(from: string, text: string): readonly string[] {
  try {
    return parseSecrets(text);
  } catch {
    throw new CommandError(
      'usage',
      `${from} must have the secret that requests are signed with, such as whsec_ and 32 characters; docs/webhook.md says where it is`,
    );
  }
}

/** A request is proof of who sends it, so it goes to no address that others read. */
function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOwnMachine = url !== undefined && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  const isSafe = url?.protocol === 'https:' || (isOwnMachine && url?.protocol === 'http:');
  if (!url || !isSafe || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new CommandError(
      'usage',
      'the URL of the webhook must begin with https:// and end with /domains, as the deploy has printed it',
    );
  const path = url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname;
  return `${url.origin}${path.endsWith('/domains') ? path : `${path}/domains`}`;
}
