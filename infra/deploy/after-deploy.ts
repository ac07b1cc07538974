// What a deploy does at its end: it calls `status` once, so that alarms on what `status` measures begin with
// a measurement, and says where the webhook is and what to call next.
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { oneLine } from '../../lib/policy/bounds.ts';
import { invokeCommand, setCommandPlace } from '../../lib/policy/commands.ts';
import { describeAwsError, type StackProvider, webhookOf } from './deployed-stack.ts';

/** The service that was deployed. */
export interface DeployedService {
  /** Name of the function `status` in Lambda. */
  readonly statusFunction: string;
  /** Whether the inventory lets the webhook take any request. */
  readonly hasRegistration: boolean;
}

/** Calls `status` and returns the lines to print. Never throws: the deploy itself went well. */
export async function finishDeploy(
  provider: StackProvider,
  { statusFunction, hasRegistration }: DeployedService,
): Promise<readonly string[]> {
  const [webhook, status] = await Promise.all([findWebhook(provider), callStatus(provider, statusFunction)]);
  setCommandPlace({ stage: provider.getStage(), region: provider.getRegion() });
  const next = [
    [invokeCommand('issue', { dryRun: true }), 'the plan, and why'],
    [invokeCommand('issue'), 'orders what is due; from now on the schedule does it, too'],
    [invokeCommand('status'), 'how everything stands'],
  ] as const;
  const width = Math.max(...next.map(([command]) => command.length));
  return [
    `Webhook: ${webhook}${hasRegistration ? '' : ' (refuses every request: the inventory has no registration)'}`,
    status,
    'Next:',
    ...next.map(([command, comment]) => `  ${command.padEnd(width)}   # ${comment}`),
  ];
}

/** URL of the webhook, or why it is unknown. */
async function findWebhook(provider: StackProvider): Promise<string> {
  try {
    const client = await provider.getCloudFormationClient();
    const StackName = provider.naming.getStackName();
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    return webhookOf(Stacks[0]?.Outputs) ?? 'the stack has no output HttpApiUrl';
  } catch (error) {
    return `its URL could not be read (${describeAwsError(error)})`;
  }
}

/** How long `status` may take, in milliseconds. */
const mostMs = 120_000;

/** What Lambda returns for an invocation that failed. */
const failure = z.object({ errorMessage: z.string() });

/** Calls `status` over everything. Returns one line that says how it went. */
async function callStatus(provider: StackProvider, name: string): Promise<string> {
  const later = 'Alarms may ring until its schedule has called it.';
  try {
    const client = new LambdaClient(await provider.getAwsSdkV3Config());
    try {
      const call = new InvokeCommand({ FunctionName: name, Payload: Buffer.from('{}') });
      const { FunctionError, Payload } = await client.send(call, {
        abortSignal: AbortSignal.timeout(mostMs),
      });
      if (FunctionError === undefined) return 'Called status once: alarms begin from what it measured.';
      return `status was called and failed: ${readFailure(Payload)}. ${later}`;
    } finally {
      client.destroy();
    }
  } catch (error) {
    return `status could not be called (${describeAwsError(error)}). ${later}`;
  }
}

/** The first line of an error's message, at most 300 characters. */
function readFailure(payload: Uint8Array | undefined): string {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(payload ?? []).toString());
  } catch {
    return 'its answer is not JSON';
  }
  const { data } = failure.safeParse(read);
  return oneLine(data?.errorMessage.split('\n')[0] ?? 'its answer has no message', 300);
}
