// What a deploy keeps of the right to write records that stay.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { expect, onTestFinished, test } from 'vitest';
import { readTemplate } from '../../infra/deploy/deployed-stack.ts';
import { keepsLastingRecords } from '../../infra/template/lasting-records.ts';

/** Asks with what CloudFormation answers to GetTemplate; gives the answer and what was said. */
async function ask(parameter: string, status: number, content: string) {
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'text/xml' }).end(content);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const client = new CloudFormationClient({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 });
  const provider = {
    naming: { getStackName: () => 'certrelay-dev' },
    getCloudFormationClient: () => Promise.resolve(client),
  };
  const told: string[] = [];
  const log = { notice: (line: string) => void told.push(line) };
  const keeps = await keepsLastingRecords(parameter, () => readTemplate(provider), log);
  return { keeps, told: told.join() };
}

const answer = (names: string) =>
  `<GetTemplateResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><GetTemplateResult><TemplateBody>{"Names":[${names}]}</TemplateBody></GetTemplateResult></GetTemplateResponse>`;
const refusal = (code: string, message: string) =>
  `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
const had = answer('"_acme-challenge.*","_validation-persist.*"');
const without = answer('"_acme-challenge.*"');

test('an installation whose roles may write records that stay goes on to, and is told how to end that', async () => {
  const kept = { keeps: true, told: expect.stringContaining('lastingRecords=used') };
  expect(await ask('auto', 200, had)).toEqual(kept);
  expect(await ask('used', 200, had)).toEqual({ keeps: false, told: '' });
  expect(await ask('auto', 200, without)).toEqual({ keeps: false, told: '' });
  expect(await ask('kept', 200, without)).toEqual({ keeps: true, told: '' });
});

test('a new one may not; where nobody can look that is said, and what to do', async () => {
  const missing = refusal('ValidationError', 'Stack with id certrelay-dev does not exist');
  expect(await ask('auto', 400, missing)).toEqual({ keeps: false, told: '' });
  const denied = await ask('auto', 403, refusal('AccessDenied', 'not authorized to perform GetTemplate'));
  expect(denied).toEqual({ keeps: false, told: expect.stringContaining('lastingRecords=kept') });
  expect(denied.told).toContain('not authorized to perform GetTemplate');
});

test('another word is refused', async () => {
  await expect(ask('always', 200, had)).rejects.toThrow('"always" must be auto, used or kept');
});
