// The packaged service against cfn-lint, and `serverless deploy` of it against moto's CloudFormation.
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { makeService, newPlace, runServerless } from '../infra/packaged.ts';
import { locate } from './parts/locate.ts';
import { type Moto, startMoto } from './parts/moto.ts';

const python = locate('moto');
const region = 'eu-central-1';

if (python) {
  describe('the service', () => {
    let folder: string;
    let moto: Moto;
    let deployed: string;
    beforeAll(async () => {
      [folder, moto] = await Promise.all([makeService('own'), startMoto()]);
      deployed = await runServerless(
        ['deploy', '--verbose', '--param=alarmTopic=arn:aws:sns:eu-central-1:123456789012:x'],
        folder,
        {
          AWS_ENDPOINT_URL: moto.endpoint,
          AWS_REGION: region,
          AWS_ACCESS_KEY_ID: 'test',
          AWS_SECRET_ACCESS_KEY: 'test',
        },
      );
    }, 300_000);
    afterAll(async () => {
      await moto?.stop();
      if (folder) await rm(folder, { recursive: true, force: true });
    });

    it('has no error that cfn-lint knows', async () => {
      await runServerless(['package', '--package', 'packaged', ...newPlace], folder);
      const template = join(folder, 'packaged', 'cloudformation-template-update-stack.json');
      const lint = promisify(execFile)(join(dirname(python), 'cfn-lint'), [
        '--ignore-checks',
        'W',
        '--',
        template,
        ...['agent-role.yaml', 'dns-role.yaml'].map((name) => join(folder, 'infra', name)),
      ]);
      expect(
        await lint.then(
          ({ stdout }) => stdout,
          (error: { stdout: string }) => error.stdout,
        ),
      ).toBe('');
    }, 120_000);

    it('is deployed by `serverless deploy`', async () => {
      expect(deployed).toMatch(/Service deployed to stack certrelay-dev/);
      const stacks = await ask(moto, 'cloudformation', '/?Action=DescribeStacks');
      expect(stacks).toContain('<StackStatus>UPDATE_COMPLETE</StackStatus>');
      // By which the next deploy knows what is new; a first one has nothing to say.
      const template = await ask(moto, 'cloudformation', '/?Action=GetTemplate&StackName=certrelay-dev');
      expect(template).toContain('CertrelayChangelog');
      expect(deployed).not.toContain('New to the installation');
    });

    // Not the schedules and the HTTP API: moto's CloudFormation passes over both.
    it.each([
      ['sqs', '/?Action=ListQueues', ['IssueQueue', 'DeployQueue', 'IssueDeadLetters', 'DeployDeadLetters']],
      ['iam', '/?Action=ListRoles', ['IssueRole', 'DeployRole', 'RegisterRole', 'ScheduleRole']],
      [
        'lambda',
        '/2015-03-31/functions/',
        ['certrelay-dev-issue', 'certrelay-dev-deploy', 'certrelay-dev-register'],
      ],
      [
        'lambda',
        '/2015-03-31/event-source-mappings/',
        ['IssueQueue', 'DeployQueue', 'ReportBatchItemFailures'],
      ],
    ])('is there afterwards: %s %s', async (service, path, expected) => {
      const found = await ask(moto, service, path);
      for (const part of expected) expect(found).toContain(part);
    });
  });
} else {
  test.todo('serverless deploy against moto: run test/real/install moto');
}

/** One unsigned question: moto takes the service from the signature's scope and does not check the rest. */
async function ask({ endpoint }: Moto, service: string, path: string): Promise<string> {
  const scope = `test/20260101/${region}/${service}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
  const answer = await fetch(endpoint + path, { headers: { authorization } });
  return answer.text();
}
