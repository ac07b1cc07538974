// What each part of the sandbox says to a call that IAM does not allow: the error that AWS's own clients read
// out of it.
import { ACMClient, GetCertificateCommand } from '@aws-sdk/client-acm';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ListHostedZonesCommand, Route53Client } from '@aws-sdk/client-route-53';
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessKeyOf } from '../principal.ts';
import { type Sandbox, startSandbox } from '../sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
}, 120_000);
afterAll(() => sandbox.stop());

/** For a client of AWS that calls in the name of `status`, which may list AWS secrets and read their tags. */
const client = (service: string, accessKeyId = accessKeyOf('status')) => ({
  endpoint: sandbox.environment[`AWS_ENDPOINT_URL_${service}`] ?? '',
  region: 'eu-central-1',
  credentials: { accessKeyId, secretAccessKey: 'sandbox' },
  maxAttempts: 1,
});
const role = 'arn:aws:iam::210987654321:role/certrelay-dns';
const certificate = 'arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-4000-8000-000000000000';
const event = { Source: 'certrelay', DetailType: 'Test', Detail: '{}' };

const calls: readonly (readonly [string, string, number, () => Promise<unknown>])[] = [
  [
    'secretsmanager:GetSecretValue',
    'AccessDeniedException',
    400,
    () => {
      const command = new GetSecretValueCommand({ SecretId: 'certrelay/clusters/lab' });
      return new SecretsManagerClient(client('SECRETS_MANAGER')).send(command);
    },
  ],
  [
    'route53:ListHostedZones',
    'AccessDenied',
    403,
    () => new Route53Client(client('ROUTE_53')).send(new ListHostedZonesCommand({})),
  ],
  [
    'sqs:SendMessage',
    'AccessDenied',
    403,
    () => {
      const QueueUrl = sandbox.environment.CERTRELAY_ISSUE_QUEUE_URL;
      return new SQSClient(client('SQS')).send(new SendMessageCommand({ QueueUrl, MessageBody: '{}' }));
    },
  ],
  [
    'acm:GetCertificate',
    'AccessDeniedException',
    400,
    () => new ACMClient(client('ACM')).send(new GetCertificateCommand({ CertificateArn: certificate })),
  ],
  [
    'events:PutEvents',
    'AccessDeniedException',
    400,
    () => new EventBridgeClient(client('EVENTBRIDGE')).send(new PutEventsCommand({ Entries: [event] })),
  ],
  [
    'sts:AssumeRole',
    'AccessDenied',
    403,
    () => {
      const command = new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'test' });
      return new STSClient(client('STS')).send(command);
    },
  ],
  [
    'eks:DescribeCluster',
    'AccessDeniedException',
    403,
    () => new EKSClient(client('EKS')).send(new DescribeClusterCommand({ name: 'prod' })),
  ],
];

it.each(
  calls,
)('%s is answered with %s (%i), and nothing is carried out', async (action, name, status, call) => {
  await expect(call()).rejects.toMatchObject({
    name,
    $metadata: { httpStatusCode: status },
    message: expect.stringContaining(
      `User: arn:aws:sts::123456789012:assumed-role/status/status is not authorized to perform: ${action} on resource: `,
    ),
  });
});

it('an access key that nobody has is one that AWS does not know, and what a role allows is carried out', async () => {
  const list = (accessKey?: string) =>
    new SecretsManagerClient(client('SECRETS_MANAGER', accessKey)).send(new ListSecretsCommand({}));
  await expect(list('AKIAIOSFODNN7EXAMPLE')).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  expect((await list()).SecretList?.length).toBeGreaterThan(0);
  const zones = new Route53Client(client('ROUTE_53', 'AKIAIOSFODNN7EXAMPLE'));
  await expect(zones.send(new ListHostedZonesCommand({}))).rejects.toMatchObject({
    name: 'InvalidClientTokenId',
  });
});

it('a function whose role is taken away is refused by name, and says what its role needs', async () => {
  const kept = sandbox.policies.get('status') ?? [];
  sandbox.policies.set('status', []);
  const { error } = await sandbox.lambda.invoke('status', {});
  sandbox.policies.set('status', kept);
  expect(error?.errorMessage).toContain('AWS denied secretsmanager:ListSecrets');
});
