// What `serverless deploy` says before it changes anything, told from a real client's look at a
// CloudFormation double.
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { expect, onTestFinished, test } from 'vitest';
import { describeNews, findNews, markOf, parseChangelog, readChangelog } from '../../infra/deploy/changes.ts';
import { markOutput, readDeployedStack } from '../../infra/deploy/deployed-stack.ts';
import CertrelayPlugin from '../../infra/deploy/plugin.ts';
import { readAgreedInventory } from './packaged.ts';

const sections = parseChangelog(`# Changelog

Words before the first version.

## Unreleased

- Newest of all,
  over two lines.

## 0.2.0

- First of two.
- Second of two.

## 0.1.0

- Oldest.
`);

test.for([
  [
    'no mark: an installation before there were marks',
    undefined,
    ['Oldest.', 'First of two.', 'Second of two.', 'Newest of all, over two lines.'],
  ],
  [
    'of a version that nobody knows',
    '0.0.9/3',
    ['Oldest.', 'First of two.', 'Second of two.', 'Newest of all, over two lines.'],
  ],
  ['in the middle of a version', '0.2.0/1', ['Second of two.', 'Newest of all, over two lines.']],
  ['at the end of a version', '0.2.0/2', ['Newest of all, over two lines.']],
  ['of today', 'Unreleased/1', []],
] as const)('with a mark %s, what is new is told oldest first', ([, mark, news]) => {
  expect(findNews(sections, mark)).toEqual(news);
});

test('the changelog of this service can be read, and its mark stands in what is deployed', async () => {
  const own = await readChangelog();
  expect(own[0]?.entries.length).toBeGreaterThan(0);
  expect(findNews(own, markOf(own))).toEqual([]);
});

/** CloudFormation as it answers DescribeStacks. */
async function startDouble(status: number, xml: string) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push(Buffer.concat(chunks).toString());
      response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new CloudFormationClient({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 });
  onTestFinished(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });
  const naming = { getStackName: () => 'certrelay-dev' };
  const getAwsSdkV3Config = async () => ({ endpoint, region: 'eu-central-1', credentials });
  const provider = { naming, getStage: () => 'dev', getRegion: () => 'eu-central-1', getAwsSdkV3Config };
  return { asked, provider: { ...provider, getCloudFormationClient: async () => client } };
}

const stackWith = (
  outputs: string,
) => `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
  <DescribeStacksResult><Stacks><member><StackName>certrelay-dev</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>
  <StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>${outputs}</Outputs></member></Stacks></DescribeStacksResult>
</DescribeStacksResponse>`;
const output = (key: string, value: string) =>
  `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`;
const errorWith = (code: string, message: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;

/** A service whose inventory agrees to the terms of its CA, as the shipped one does not. */
async function makeService(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-news-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'infra'));
  await writeFile(join(folder, 'infra', 'certificates.yaml'), await readAgreedInventory());
  return folder;
}

/** What osls prints for the hook that runs before it deploys. */
async function deploy(status: number, xml: string) {
  const { asked, provider } = await startDouble(status, xml);
  const lines: string[] = [];
  const serverless = {
    serviceDir: await makeService(),
    configurationFilename: 'serverless.yml',
    configurationInput: { provider: {} },
    processedInput: { commands: ['deploy'], options: {}, isHelpRequest: false },
    classes: { Error },
    extendConfiguration: () => {},
    service: { functions: {}, provider: {}, resources: { Resources: {} } },
    getProvider: () => provider,
  };
  const log = { notice: (line: string) => lines.push(line), warning: (line: string) => lines.push(line) };
  const { hooks } = new CertrelayPlugin(serverless, {}, { log });
  await hooks['before:deploy:deploy']?.();
  return { asked, text: lines.join('\n') };
}

test('over an installation without a mark every line of the changelog is said, before anything is changed', async () => {
  const { asked, text } = await deploy(200, stackWith(output('ServerlessDeploymentBucketName', 'bucket')));
  expect(asked).toEqual([expect.stringContaining('Action=DescribeStacks')]);
  expect(asked[0]).toContain('StackName=certrelay-dev');
  expect(text).toContain('orders, restarts, delivers and retires nothing by\nitself');
  for (const { entries } of await readChangelog()) for (const entry of entries) expect(text).toContain(entry);
});

test('over one with the mark of today nothing is said, and nothing at a first deploy', async () => {
  const mark = markOf(await readChangelog());
  expect((await deploy(200, stackWith(output(markOutput, mark)))).text).toBe('');
  const none = errorWith('ValidationError', 'Stack with id certrelay-dev does not exist');
  expect((await deploy(400, none)).text).toBe('');
});

test('where the stack cannot be looked at, that is said, with why, and where to read', async () => {
  const denied = errorWith(
    'AccessDenied',
    'User: deployer is not authorized to perform: cloudformation:DescribeStacks',
  );
  const { text } = await deploy(403, denied);
  expect(text).toMatch(/could not be looked at \(AccessDenied: User: deployer is not authorized/);
  expect(text).toMatch(/docs\/changelog\.md, under "[^"]+"/);
});

test('no credentials are no reason to end', async () => {
  const naming = { getStackName: () => 'certrelay-dev' };
  const getCloudFormationClient = () => Promise.reject(new Error('AWS provider credentials not found'));
  const stack = await readDeployedStack({ naming, getCloudFormationClient });
  expect(stack).toEqual({ kind: 'unknown', problem: 'Error: AWS provider credentials not found' });
  expect(describeNews(sections, stack)[0]).toContain('credentials not found');
});
