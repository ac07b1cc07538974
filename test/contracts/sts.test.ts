// The sandbox's STS, and its Route 53 in the name of roles, keep the contract; and sessions end.
import { ListHostedZonesCommand, Route53Client } from '@aws-sdk/client-route-53';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { expect, test } from 'vitest';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { startRoute53 } from '../sandbox/route53/server.ts';
import { startSts } from '../sandbox/sts/server.ts';
import { type RoleSpec, Sessions } from '../sandbox/sts/sessions.ts';
import { type Subject, stsContract } from './sts.ts';

const account = '210987654321';
const arn = `arn:aws:iam::${account}:role/open`;
const open: RoleSpec = {
  arn,
  trust: { principals: ['arn:aws:iam::123456789012:role/issue'], externalId: 'shared' },
};
const closed: RoleSpec = {
  arn: `arn:aws:iam::${account}:role/closed`,
  trust: { principals: ['arn:aws:iam::123456789012:role/other'] },
};

async function start(now?: () => number): Promise<Subject> {
  const surroundings = { journal: new Journal(), faults: new Faults() };
  const sessions = new Sessions([open, closed], now);
  const route53 = await startRoute53({ dns: { serve: () => undefined }, sessions }, surroundings);
  const sts = await startSts(sessions, surroundings);
  const common = { region: 'eu-central-1', maxAttempts: 1 };
  const credentials = { accessKeyId: accessKeyOf('issue'), secretAccessKey: 'none' };
  return {
    sts: new STSClient({ ...common, endpoint: sts.url, credentials }),
    route53: { ...common, endpoint: route53.url },
    credentials,
    roles: { open: open.arn, closed: closed.arn },
    createZone: async (name) => route53.createZone(name, { account }).id,
    stop: async () => {
      await Promise.all([sts.stop(), route53.stop()]);
    },
  };
}

stsContract('sandbox', start);

test('a session is good until it ends, and then its requests are ExpiredToken', async () => {
  let now = Date.now();
  const subject = await start(() => now);
  const command = new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: 'x1', ExternalId: 'shared' });
  const { Credentials } = await subject.sts.send(command);
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
  const credentials = {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
  };
  const client = new Route53Client({ ...subject.route53, credentials });
  now += 3_599_000;
  await client.send(new ListHostedZonesCommand({}));
  now += 1_000;
  await expect(client.send(new ListHostedZonesCommand({}))).rejects.toMatchObject({ name: 'ExpiredToken' });
  await subject.stop();
});
