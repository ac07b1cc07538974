// The stack in CloudFormation, and the functions that it has.
import {
  type CloudFormationClient,
  DescribeStacksCommand,
  paginateListStackResources,
  type Stack,
  type StackResourceSummary,
} from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { mapConcurrently } from '../../../lib/async/map-concurrently.ts';
import { nameSome } from '../../../lib/policy/bounds.ts';
import { webhookOf } from '../../deploy/deployed-stack.ts';
import { describeMissing } from '../connection.ts';
import type { CheckedAws } from './aws.ts';
import { type CheckedPart, fine, lookAt, unseen, wrong } from './part.ts';

/** What other checks need of the stack. */
export interface CheckedStack {
  /** ARN of the topic that alarms go to; empty: there is none. */
  readonly topic: string;
}

/** The stack, or `undefined` where it could not be looked at, and what to say of it. */
export async function checkStack(
  aws: CheckedAws,
): Promise<{ readonly parts: readonly CheckedPart[]; readonly stack: CheckedStack | undefined }> {
  const part = 'stack';
  const refuse = (said: CheckedPart) => ({ parts: [said], stack: undefined });
  if (!aws.canAsk('CLOUDFORMATION')) return refuse(unseen(part, describeMissing('CLOUDFORMATION')));
  const looked = await lookAt(part, 'cloudformation:DescribeStacks', () => describe(aws));
  if ('unseen' in looked) return refuse(looked.unseen);
  const { seen: stack } = looked;
  if (!stack)
    return refuse(
      wrong(
        part,
        `there is no stack ${aws.stack}: name another one by --stage and --region, or deploy this one`,
      ),
    );
  const said = judgeStack(aws.stack, stack);
  const found = await lookAt('functions', 'cloudformation:ListStackResources', () => resourcesOf(aws));
  if ('unseen' in found) return { parts: [said, found.unseen], stack: undefined };
  const functions = await checkFunctions(aws, found.seen.functions);
  const own = stack.Parameters?.find(({ ParameterKey }) => ParameterKey === 'AlarmTopic')?.ParameterValue;
  return { parts: [said, functions], stack: { topic: found.seen.topic ?? own ?? '' } };
}

type Sends = Pick<CloudFormationClient, 'send'>;

async function describe({ stack, cloudFormation, signalOf }: CheckedAws): Promise<Stack | undefined> {
  const client: Sends = cloudFormation;
  try {
    const command = new DescribeStacksCommand({ StackName: stack });
    const { Stacks = [] } = await client.send(command, { abortSignal: signalOf() });
    // CloudFormation refuses the name of a stack that it does not have.
    if (Stacks[0] === undefined) throw new SyntaxError('the answer has no stack');
    return Stacks[0];
  } catch (error) {
    if (error instanceof Error && error.message.includes('does not exist')) return undefined;
    throw error;
  }
}

function judgeStack(name: string, { StackStatus, Outputs = [] }: Stack): CheckedPart {
  const status: string = StackStatus ?? 'without a status';
  const again = `deploy again, and read what it says (aws cloudformation describe-stack-events --stack-name ${name})`;
  if (status.endsWith('_IN_PROGRESS') && status !== 'REVIEW_IN_PROGRESS')
    return unseen('stack', `it is ${status}; wait until it has ended`);
  if (!/^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)) return wrong('stack', `it is ${status}: ${again}`);
  const url = webhookOf(Outputs);
  if (url === undefined) return wrong('stack', `it has no output HttpApiUrl: ${again}`);
  return fine('stack', `${status}, webhook ${url}`);
}

/** Page by page: a stack may have more than the hundred that DescribeStackResources gives. */
async function resourcesOf({ stack, cloudFormation: client, signalOf }: CheckedAws) {
  const resources: StackResourceSummary[] = [];
  const pages = paginateListStackResources({ client }, { StackName: stack }, { abortSignal: signalOf() });
  for await (const { StackResourceSummaries = [] } of pages) resources.push(...StackResourceSummaries);
  return {
    functions: resources.flatMap(({ ResourceType, PhysicalResourceId: id }) =>
      ResourceType === 'AWS::Lambda::Function' && id !== undefined ? [id] : [],
    ),
    topic: resources.find(({ LogicalResourceId }) => LogicalResourceId === 'NoticeTopic')?.PhysicalResourceId,
  };
}

/** Functions asked at once. */
const concurrency = 4;

/** Whether Lambda would start each function. */
async function checkFunctions(aws: CheckedAws, names: readonly string[]): Promise<CheckedPart> {
  const looked = await lookAt('functions', 'lambda:GetFunctionConfiguration', () =>
    mapConcurrently(names, concurrency, (name) => findTrouble(aws, name)),
  );
  if ('unseen' in looked) return looked.unseen;
  const troubles = looked.seen.filter((trouble) => trouble !== undefined);
  if (names.length === 0) return wrong('functions', 'the stack has none: deploy again');
  if (troubles.length === 0) return fine('functions', `${names.length} can be started`);
  return wrong('functions', `${nameSome(troubles, 5)}; deploy again`);
}

async function findTrouble({ lambda, signalOf }: CheckedAws, name: string): Promise<string | undefined> {
  const command = new GetFunctionConfigurationCommand({ FunctionName: name });
  try {
    const found = await lambda.send(command, { abortSignal: signalOf() });
    if (found.State === 'Failed')
      return `${name} cannot be started (${found.StateReason ?? 'no reason given'})`;
    if (found.LastUpdateStatus !== 'Failed') return undefined;
    return `the last change of ${name} failed (${found.LastUpdateStatusReason ?? 'no reason given'})`;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return `${name} is gone`;
    throw error;
  }
}
