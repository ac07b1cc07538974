// Calls a function by AWS Lambda's Invoke, with the credentials of whoever runs the command.
import { InvokeCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import type { CalledFunction } from '../../lib/policy/commands.ts';
import { type AnswerFields, fieldsOf, textOf } from './answer.ts';
import { explainAwsError } from './aws-errors.ts';
import { CommandError } from './errors.ts';
import { type CalledPlace, defaultRegion } from './place.ts';
import type { CallManner } from './session.ts';

/** A call of a function. */
export interface LambdaCall extends CallManner {
  readonly name: CalledFunction;
  readonly event: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A function may take 900 seconds, and is not asked for longer. */
const mostMs = 910_000;
const connectMs = 10_000;

/** The report of the function. @throws CommandError */
export async function invokeFunction(
  place: CalledPlace,
  { name, event, signal, isRead }: LambdaCall,
  env: Environment,
): Promise<AnswerFields> {
  const client = await openClient(place, env, { isRead });
  const functionName = `${place.stack}-${name}`;
  try {
    const payload = Buffer.from(JSON.stringify({ ...event, report: true }));
    const invocation = new InvokeCommand({ FunctionName: functionName, Payload: payload });
    const answer = await client.send(invocation, { abortSignal: signal });
    return readAnswer(name, answer.FunctionError, Buffer.from(answer.Payload ?? []).toString('utf8'));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw explainAwsError(error, { ...place, what: functionName });
  } finally {
    client.destroy();
  }
}

/** Without a region in the options, the environment and the profile, that of serverless.yml counts. */
async function openClient(place: CalledPlace, env: Environment, manner: CallManner): Promise<LambdaClient> {
  const client = createClient(place, env, manner);
  if (place.region !== undefined || (await hasRegion(client))) return client;
  client.destroy();
  return createClient({ ...place, region: defaultRegion }, env, manner);
}

function createClient(place: CalledPlace, env: Environment, { isRead }: CallManner): LambdaClient {
  return new LambdaClient({
    ...reach(place, env),
    // Another try could do twice what a person asked for once.
    maxAttempts: isRead ? 3 : 1,
    requestHandler: { requestTimeout: mostMs, connectionTimeout: connectMs },
  });
}

async function hasRegion(client: LambdaClient): Promise<boolean> {
  return client.config.region().then(
    () => true,
    () => false,
  );
}

/** Region, endpoint and credentials; what is absent the SDK finds as the AWS CLI does. */
function reach({ region, endpoint }: CalledPlace, env: Environment): LambdaClientConfig {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const isSet = Boolean(accessKeyId && secretAccessKey);
  // The sandbox looks at the access key alone, and it is nobody's account.
  const isOwnMachine = endpoint !== undefined && isLoopback(endpoint) && !isSet && !env.AWS_PROFILE;
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(isOwnMachine
      ? { credentials: { accessKeyId: 'AKIASANDBOXOPERATOR', secretAccessKey: 'sandbox' } }
      : {}),
    ...(isSet && accessKeyId && secretAccessKey && !env.AWS_PROFILE
      ? { credentials: { accessKeyId, secretAccessKey, ...token(env.AWS_SESSION_TOKEN) } }
      : {}),
  };
}

function token(sessionToken: string | undefined) {
  return sessionToken ? { sessionToken } : {};
}

function isLoopback(endpoint: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(endpoint).hostname);
}

function readAnswer(name: CalledFunction, functionError: string | undefined, payload: string): AnswerFields {
  let answer: AnswerFields;
  try {
    answer = fieldsOf(JSON.parse(payload === '' ? '{}' : payload));
  } catch {
    throw new CommandError('refused', `${name} answered something that is not JSON: update the installation`);
  }
  if (functionError === undefined) return answer;
  const words = textOf(answer, 'errorMessage') || textOf(answer, 'errorType') || 'no reason given';
  const advice = /timed out/i.test(words)
    ? 'what is left goes on with its next call'
    : 'its log has more; if it ends so again, report it';
  throw new CommandError('refused', `Lambda ended ${name}: ${words}: ${advice}`);
}
