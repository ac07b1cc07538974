// What a deploy says and does at its end.
import { rm } from 'node:fs/promises';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { expect, it, onTestFinished, test } from 'vitest';
import CertrelayPlugin from '../../infra/deploy/plugin.ts';
import { type CloudFormationAnswers, startCloudFormation } from './cloudformation.ts';
import { makeService } from './packaged.ts';

const outputs = { HttpApiUrl: 'https://abc.execute-api.eu-west-1.amazonaws.com' };

/** What osls's hook at the end of a command prints, and what it asked of AWS. */
async function finish(answers: CloudFormationAnswers, command = 'deploy', alarmEmail = '') {
  const aws = await startCloudFormation(answers);
  const { endpoint, credentials } = aws;
  const config = { endpoint, credentials, region: 'eu-west-1', maxAttempts: 1 };
  const lines: string[] = [];
  const serviceDir = await makeService();
  onTestFinished(() => rm(serviceDir, { recursive: true, force: true }));
  const serverless = {
    serviceDir,
    configurationFilename: 'serverless.yml',
    configurationInput: { provider: {} },
    processedInput: { commands: command.split(' '), options: {}, isHelpRequest: false },
    classes: { Error },
    extendConfiguration: () => {},
    service: {
      functions: { status: { name: 'certrelay-prod-status' } },
      provider: { environment: { CERTRELAY_PREFIX: 'certrelay-prod' } },
      resources: { Resources: {} },
      custom: { notices: { alarmEmail } },
    },
    getProvider: () => ({
      naming: { getStackName: () => 'certrelay-prod' },
      getStage: () => 'prod',
      getRegion: () => 'eu-west-1',
      getCloudFormationClient: async () => new CloudFormationClient(config),
      getAwsSdkV3Config: async () => config,
    }),
  };
  const log = { notice: (line: string) => lines.push(line), warning: (line: string) => lines.push(line) };
  await new CertrelayPlugin(serverless, {}, { log }).hooks.finalize?.();
  return { lines, asked: aws.asked };
}

it('calls status once, and says where the webhook is and the next three commands, for this stage and region', async () => {
  const { lines, asked } = await finish({ outputs, invocation: { payload: '{"summary":{}}' } });
  expect(asked.filter((one) => one.includes('functions'))).toEqual([
    '/2015-03-31/functions/certrelay-prod-status/invocations',
  ]);
  const place = '--stage prod --region eu-west-1';
  expect(lines).toEqual([
    'Webhook: https://abc.execute-api.eu-west-1.amazonaws.com/domains (refuses every request: the inventory has no registration)',
    'Called status once: alarms begin from what it measured.',
    'Next:',
    `  npx certrelay plan ${place}     # the plan, and why`,
    expect.stringMatching(`^  npx certrelay renew ${place} +# orders`),
    expect.stringMatching(`^  npx certrelay status ${place} +# how everything stands`),
  ]);
});

test.for([
  [
    'that is not there',
    {},
    /^status could not be called \(ResourceNotFoundException: .*\)\. Alarms may ring/,
  ],
  [
    'that fails',
    { invocation: { payload: '{"errorMessage":"no \\u001b[31mlist\\nstack"}', isFailed: true } },
    /^status was called and failed: no {2}?\[31mlist\. Alarms may ring/,
  ],
  [
    'that answers nonsense',
    { invocation: { payload: '<html>', isFailed: true } },
    /^status was called and failed: its answer is not JSON/,
  ],
] as const)('a status %s is said, and ends no deploy', async ([, answers, words]) => {
  const { lines } = await finish({ outputs, ...answers });
  expect(lines[1]).toMatch(words);
  expect(lines).toHaveLength(6);
});

it('says why the webhook’s URL is unknown where the stack cannot be read', async () => {
  const { lines } = await finish({ status: 403, code: 'AccessDenied', message: 'no' });
  expect(lines[0]).toMatch(/^Webhook: its URL could not be read \(AccessDenied: no\)/);
});

it.each(['package', 'deploy function', 'info', 'invoke'])('says nothing after %s', async (command) => {
  const { lines, asked } = await finish({ outputs }, command);
  expect([lines, asked]).toEqual([[], []]);
});

it('says after a removal what stays, also where nobody could look', async () => {
  const { lines } = await finish({ status: 403, code: 'AccessDenied', message: 'no' }, 'remove');
  expect(lines[0]).toMatch(/^What stays/);
  expect(lines[1]).toMatch(/^- AWS secrets under certrelay-prod\/: they could not be counted/);
});

it('says that the mail address must be confirmed, where alarms are mailed', async () => {
  const { lines } = await finish({ outputs }, 'deploy', 'ops@example.com');
  expect(lines[0]).toMatch(
    /^Alarms are mailed to ops@example.com: nothing arrives before somebody follows the link/,
  );
});
