// Reads the stack that a deploy would change, with the credentials of the person who deploys.
import {
  type CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import * as z from 'zod';
import { oneLine } from '../../lib/policy/bounds.ts';
import { toError } from '../../lib/ports/errors.ts';
import type { DeployedStack } from './changes.ts';
import { type RememberedParameters, readRemembered } from './kept-parameters.ts';
import type { NoticeParameters } from './notice-parameters.ts';

/** Name of the stack's output with `markOf` of its changelog. */
export const markOutput = 'CertrelayChangelog';

/** URL of the webhook by the stack's outputs; `undefined` if they do not say it. */
export function webhookOf(outputs: Stack['Outputs'] = []): string | undefined {
  const url = outputs.find(({ OutputKey }) => OutputKey === 'HttpApiUrl')?.OutputValue;
  return url === undefined ? undefined : `${url}/domains`;
}

/** The part of osls's AWS provider that is used here. */
export interface StackProvider {
  readonly naming: { getStackName(): string };
  getStage(): string;
  getRegion(): string;
  getCloudFormationClient(): Promise<Pick<CloudFormationClient, 'send'>>;
  /** Region and credentials of the person who deploys, as AWS clients take them. */
  getAwsSdkV3Config(options?: { readonly region: string }): Promise<object>;
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

/** What a region has of an installation: nothing; its prefix (`undefined`: functions without one), event
 *  bus (empty: none) and where its alarms go; or why nobody could look. */
export type DeployedInstallation =
  | { readonly kind: 'absent' }
  | ({
      readonly kind: 'there';
      readonly prefix: string | undefined;
      readonly eventBus: string;
      /** What it was given by `--param` alone; absent: nothing. */
      readonly remembered?: RememberedParameters;
    } & NoticeParameters)
  | { readonly kind: 'unknown'; readonly problem: string };

/** Looks for an installation by its stack's template. A stack that a failed first deploy left without
 *  functions is none. Never throws.
 *  @param client Of the region to look into. */
export async function findInstallation(
  client: Pick<CloudFormationClient, 'send'>,
  stackName: string,
): Promise<DeployedInstallation> {
  try {
    const { TemplateBody = '' } = await client.send(new GetTemplateCommand({ StackName: stackName }), {
      abortSignal: AbortSignal.timeout(mostMs),
    });
    return readInstallation(TemplateBody);
  } catch (error) {
    const problem = describeAwsError(error);
    return /does not exist/.test(problem) ? { kind: 'absent' } : { kind: 'unknown', problem };
  }
}

/** What AWS or osls said of a failed call: one line, at most 300 characters. */
export function describeAwsError(thrown: unknown): string {
  const { name, message } = toError(thrown);
  // osls adds an address of its documentation.
  const words = message.replace(/ Learn how to set up [\s\S]*$/, '');
  return oneLine(/^(Serverless)?Error$/.test(name) ? words : `${name}: ${words}`, 300);
}

/** How long one look may take, in milliseconds. */
const mostMs = 20_000;

const parameterShape = z.looseObject({ Default: z.string() }).optional();

const templateShape = z.object({
  Metadata: z.unknown().optional(),
  Parameters: z
    .looseObject({ EventBus: parameterShape, AlarmEmail: parameterShape, AlarmTopic: parameterShape })
    .default({}),
  Resources: z
    .record(
      z.string(),
      z.looseObject({
        Type: z.string().optional(),
        Properties: z
          .looseObject({
            Environment: z.looseObject({ Variables: z.record(z.string(), z.unknown()) }).optional(),
          })
          .optional(),
      }),
    )
    .default({}),
});

/** The installation that a template (JSON, as osls writes it) is of. */
export function readInstallation(template: string): DeployedInstallation {
  if (template.trim() === '') return { kind: 'absent' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(template);
  } catch {
    return { kind: 'unknown', problem: 'its template is not JSON' };
  }
  const read = templateShape.safeParse(parsed);
  if (!read.success) return { kind: 'unknown', problem: 'its template has another form' };
  const functions = Object.values(read.data.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  if (functions.length === 0) return { kind: 'absent' };
  const prefixes = functions.flatMap(({ Properties }) => {
    const prefix = Properties?.Environment?.Variables.CERTRELAY_PREFIX;
    return typeof prefix === 'string' && prefix !== '' ? [prefix] : [];
  });
  const { EventBus, AlarmEmail, AlarmTopic } = read.data.Parameters;
  const remembered = readRemembered(read.data.Metadata);
  return {
    kind: 'there',
    prefix: prefixes[0],
    eventBus: EventBus?.Default ?? '',
    alarmEmail: AlarmEmail?.Default || undefined,
    alarmTopic: AlarmTopic?.Default || undefined,
    ...(Object.keys(remembered).length > 0 ? { remembered } : {}),
  };
}
