// Calls a function by AWS Lambda's Invoke, with the credentials of whoever runs the command.
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { CalledFunction } from '../../lib/policy/commands.ts';
import { type AnswerFields, fieldsOf, textOf } from './answer.ts';
import { explainAwsError } from './aws-errors.ts';
import { canAsk, findConnection, findEndpoint } from './connection.ts';
import { CommandError } from './errors.ts';
import type { FollowedLog } from './milestones.ts';
import type { CalledPlace } from './place.ts';
import type { CallManner } from './session.ts';

/** A call of a function. */
export interface LambdaCall extends CallManner {
  /** Is told what the function's log says of its work meanwhile; absent: nobody looks. */
  readonly onMilestone?: ((milestone: string) => void) | undefined;
  readonly name: CalledFunction;
  readonly event: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/** A function may take 900 seconds, and is not asked for longer. */
const mostMs = 910_000;
const connectMs = 10_000;

/** The report of the function. @throws CommandError */
export async function invokeFunction(
  place: CalledPlace,
  { name, event, signal, isRead, onMilestone }: LambdaCall,
  env: Readonly<Record<string, string | undefined>>,
): Promise<AnswerFields> {
  const connection = await findConnection(place, env);
  const client = new LambdaClient({
    ...connection,
    // Another try could do twice what a person asked for once.
    maxAttempts: isRead ? 3 : 1,
    requestHandler: { requestTimeout: mostMs, connectionTimeout: connectMs },
  });
  const functionName = `${place.stack}-${name}`;
  const service = 'CLOUDWATCH_LOGS';
  const isFollowed = onMilestone !== undefined && !isRead && canAsk(service, place, env);
  const following = isFollowed
    ? await follow(onMilestone, {
        functionName,
        region: connection.region,
        endpoint: findEndpoint(service, place, env),
        identify: () => client.config.credentials(),
        since: new Date(),
      })
    : undefined;
  try {
    const payload = Buffer.from(JSON.stringify({ ...event, report: true }));
    const invocation = new InvokeCommand({ FunctionName: functionName, Payload: payload });
    const answer = await client.send(invocation, { abortSignal: signal });
    return readAnswer(name, answer.FunctionError, Buffer.from(answer.Payload ?? []).toString('utf8'));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw explainAwsError(error, { ...connection, what: functionName });
  } finally {
    following?.stop();
    client.destroy();
  }
}

async function follow(tell: (milestone: string) => void, log: FollowedLog) {
  const { followLog } = await import('./milestones.ts');
  return { stop: followLog(log, tell) };
}

function readAnswer(name: CalledFunction, functionError: string | undefined, payload: string): AnswerFields {
  let answer: AnswerFields;
  try {
    answer = fieldsOf(JSON.parse(payload === '' ? '{}' : payload));
  } catch {
    throw new CommandError('refused', `${name} answered something that is not JSON: update the installation`);
  }
  if (functionError === undefined) {
    if (typeof answer.ok === 'boolean') return answer;
    throw new CommandError('refused', `${name} answered without a report: update the installation`);
  }
  const words = textOf(answer, 'errorMessage') || textOf(answer, 'errorType') || 'no reason given';
  const advice = /timed out/i.test(words)
    ? 'what is left goes on with its next call'
    : 'its log has more; if it ends so again, report it';
  throw new CommandError('refused', `Lambda ended ${name}: ${words}: ${advice}`);
}
