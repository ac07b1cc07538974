// CloudFormation, STS and Lambda as far as a deploy asks them before it builds and after it is done: one HTTP
// server, which answers as their documents say.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';

export interface CloudFormationAnswers {
  /** Template of every stack; absent: there is no stack. */
  readonly template?: string;
  /** HTTP status of every answer; 200 where it is left out. With another, `code` and `message` are the
   *  error. */
  readonly status?: number;
  readonly code?: string;
  readonly message?: string;
  /** Whether STS knows the caller. */
  readonly isKnown?: boolean;
  /** Outputs of every stack, for DescribeStacks. */
  readonly outputs?: Readonly<Record<string, string>>;
  /** What Lambda answers to an invocation: JSON, and whether the function failed; absent: no function. */
  readonly invocation?: { readonly payload: string; readonly isFailed?: boolean };
}

export interface CloudFormationDouble {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** What was asked, such as `GetTemplate certrelay-prod`. */
  readonly asked: readonly string[];
  /** For a command that is to reach it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What osls's AWS provider gives a deploy of a stage whose AWS is this. */
export function providerOf({ endpoint, credentials }: CloudFormationDouble, stage: string) {
  const region = 'eu-central-1';
  return {
    naming: { getStackName: () => `certrelay-${stage}` },
    getStage: () => stage,
    getRegion: () => region,
    getCloudFormationClient: () => Promise.reject(new Error('not asked')),
    getAwsSdkV3Config: async () => ({ endpoint, region, credentials }),
  };
}

/** Starts it; the test that is running stops it. */
export async function startCloudFormation(answers: CloudFormationAnswers): Promise<CloudFormationDouble> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const fields = new URLSearchParams(Buffer.concat(chunks).toString());
      const [action, stack] = [fields.get('Action') ?? request.url ?? '', fields.get('StackName')];
      asked.push(stack === null ? action : `${action} ${stack}`);
      if (request.url?.startsWith('/2015-03-31/functions/')) {
        const { payload, isFailed = false } = answers.invocation ?? {};
        const type = payload === undefined ? { 'x-amzn-errortype': 'ResourceNotFoundException' } : {};
        const failed = isFailed ? { 'x-amz-function-error': 'Unhandled' } : {};
        response.writeHead(payload === undefined ? 404 : 200, { ...type, ...failed });
        response.end(payload ?? '{"Message":"Function not found"}');
        return;
      }
      const { status, xml } = answerTo(action, stack ?? '', answers);
      response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_MAX_ATTEMPTS: '1',
  };
  return { endpoint, credentials, asked, environment };
}

function answerTo(
  action: string,
  stack: string,
  answers: CloudFormationAnswers,
): { readonly status: number; readonly xml: string } {
  const { template, outputs, status = 200, code = 'ValidationError', message = '', isKnown = true } = answers;
  if (action === 'GetCallerIdentity') {
    if (!isKnown)
      return refuse(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
    const identity =
      '<Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>AIDA</UserId><Account>123456789012</Account>';
    return { status: 200, xml: wrap(action, identity) };
  }
  if (status !== 200) return refuse(status, code, message);
  if (action === 'GetTemplate' && template !== undefined)
    return { status, xml: wrap(action, `<TemplateBody>${escapeXml(template)}</TemplateBody>`) };
  if (action === 'DescribeStacks' && outputs) {
    const pairs = Object.entries(outputs).map(
      ([key, value]) =>
        `<member><OutputKey>${escapeXml(key)}</OutputKey><OutputValue>${escapeXml(value)}</OutputValue></member>`,
    );
    const of = `<StackName>${stack}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>UPDATE_COMPLETE</StackStatus>`;
    const one = `<Stacks><member>${of}<Outputs>${pairs.join('')}</Outputs></member></Stacks>`;
    return { status, xml: wrap(action, one) };
  }
  return refuse(400, 'ValidationError', `Stack with id ${stack} does not exist`);
}

function wrap(action: string, result: string): string {
  return `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;
}

function refuse(status: number, code: string, message: string) {
  const error = `<Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message>`;
  return { status, xml: `<ErrorResponse><Error>${error}</Error></ErrorResponse>` };
}

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>\p{Cc}]/gu, (sign) => `&#${sign.codePointAt(0)};`);
}

/** The template of an installation, as much as is read of it. */
export function templateWith(prefix: string): string {
  const Properties = { Environment: { Variables: { CERTRELAY_PREFIX: prefix } } };
  return JSON.stringify({
    Resources: { IssueLambdaFunction: { Type: 'AWS::Lambda::Function', Properties } },
  });
}
