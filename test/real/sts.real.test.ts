// moto keeps the contract of roles in other accounts but for the promises named here: it gives every role to
// everybody.
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { test } from 'vitest';
import { type Subject, stsContract } from '../contracts/sts.ts';
import { locate } from './parts/locate.ts';
import { startMoto } from './parts/moto.ts';

const weaker: ReadonlySet<string> = new Set([
  'a zone of another account is AccessDenied',
  'a role that trusts somebody else, and one that is not there, are refused alike',
  'a role that asks for an external id is refused with another, or none',
  'a refusal names who was refused, and which role',
  'a session has a name of 2 to 64 characters, and none is passed over',
  'a session is 15 minutes long at least, and an hour at most where a role assumes it',
  "a session's key without its token is refused",
]);

if (locate('moto')) stsContract('moto', start, weaker);
else test.todo('STS: run test/real/install moto');

async function start(): Promise<Subject> {
  const moto = await startMoto();
  const common = { endpoint: moto.endpoint, region: 'eu-central-1', maxAttempts: 1 };
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const sts = new STSClient({ ...common, credentials });
  const role = 'arn:aws:iam::210987654321:role/open';
  return {
    sts,
    route53: common,
    credentials,
    roles: { open: role, closed: 'arn:aws:iam::210987654321:role/closed' },
    createZone: async (name) => {
      const { Credentials } = await sts.send(
        new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'owner' }),
      );
      const owner = {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      };
      const command = new CreateHostedZoneCommand({ Name: name, CallerReference: name });
      const { HostedZone } = await new Route53Client({ ...common, credentials: owner }).send(command);
      if (HostedZone?.Id === undefined) throw new Error('moto made no hosted zone');
      return HostedZone.Id.replace('/hostedzone/', '');
    },
    stop: () => moto.stop(),
  };
}
