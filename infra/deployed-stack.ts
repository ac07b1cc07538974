// Reads the stack that a deploy would change, with the credentials of the person who deploys.
import {
  type CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import type { DeployedStack } from './changes.ts';

/** Name of the stack's output with `markOf` of its changelog. */
export const markOutput = 'CertrelayChangelog';

/** The part of osls's AWS provider that is used here. */
export interface StackProvider {
  readonly naming: { getStackName(): string };
  getCloudFormationClient(): Promise<Pick<CloudFormationClient, 'send'>>;
  /** Region and credentials of the person who deploys, as AWS clients take them. */
  getAwsSdkV3Config(): Promise<object>;
}

/** What is known of the stack. Never throws: a deploy without the right to describe stacks fails with its own
 *  message. */
export async function readDeployedStack(
  provider: Pick<StackProvider, 'naming' | 'getCloudFormationClient'>,
): Promise<DeployedStack> {
  const name = provider.naming.getStackName();
  try {
    const client = await provider.getCloudFormationClient();
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
    const [stack] = Stacks;
    // A failed first deploy leaves a stack without resources of ours.
    if (!stack || stack.StackStatus === 'REVIEW_IN_PROGRESS') return { kind: 'absent' };
    const mark = stack.Outputs?.find(({ OutputKey }) => OutputKey === markOutput)?.OutputValue;
    return { kind: 'there', mark };
  } catch (error) {
    const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return /does not exist/.test(problem) ? { kind: 'absent' } : { kind: 'unknown', problem };
  }
}

/** The deployed template as text; empty if the stack does not exist. @throws Error if it cannot be read. */
export async function readTemplate(
  provider: Pick<StackProvider, 'naming' | 'getCloudFormationClient'>,
): Promise<string> {
  try {
    const client = await provider.getCloudFormationClient();
    const StackName = provider.naming.getStackName();
    const { TemplateBody = '' } = await client.send(new GetTemplateCommand({ StackName }));
    return TemplateBody;
  } catch (error) {
    if (error instanceof Error && error.message.includes('does not exist')) return '';
    throw error;
  }
}
