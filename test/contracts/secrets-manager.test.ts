// The sandbox's Secrets Manager: the contract, and what a test can ask of it beside.
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RemoveRegionsFromReplicationCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { expect, onTestFinished, test } from 'vitest';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { type LabelEvent, startSecretsManager } from '../sandbox/secrets-manager/server.ts';
import { secretsManagerContract } from './secrets-manager.ts';

secretsManagerContract('embedded Secrets Manager', () =>
  startSecretsManager({ journal: new Journal(), faults: new Faults() }),
);

const token = (name: string) => name.padEnd(32, '-');

async function open() {
  const clock = { now: new Date('2026-11-22T10:00:00Z') };
  const events: LabelEvent[] = [];
  const journal = new Journal();
  const faults = new Faults();
  const service = await startSecretsManager({
    journal,
    faults,
    onLabel: (event) => events.push(event),
    now: () => clock.now,
  });
  onTestFinished(() => service.stop());
  const client = new SecretsManagerClient({
    endpoint: service.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: accessKeyOf('issue'), secretAccessKey: 'any' },
  });
  onTestFinished(() => client.destroy());
  await client.send(
    new CreateSecretCommand({ Name: 's', SecretString: 'a', ClientRequestToken: token('v1') }),
  );
  return { clock, events, journal, faults, service, client };
}

test('every label that comes to a version is told, but AWSPENDING and AWSPREVIOUS', async () => {
  const { client, events, service } = await open();
  const put = (version: string, VersionStages?: string[]) =>
    client.send(
      new PutSecretValueCommand({
        SecretId: 's',
        SecretString: version,
        ClientRequestToken: token(version),
        VersionStages,
      }),
    );
  await put('v2', ['PARKED']);
  const claim = { SecretId: 's', VersionStage: 'AWSPENDING', MoveToVersionId: token('v2') };
  await client.send(new UpdateSecretVersionStageCommand(claim));
  await put('v3');
  await put('v3');
  const arn = service.vault.arnOf('s');
  expect(events).toEqual([
    { name: 's', arn, labelUpdated: 'AWSCURRENT', versionId: token('v1') },
    { name: 's', arn, labelUpdated: 'PARKED', versionId: token('v2') },
    { name: 's', arn, labelUpdated: 'AWSCURRENT', versionId: token('v3') },
  ]);
});

test('listing lags behind by as long as it is told to', async () => {
  const { client, clock, service } = await open();
  const listed = async () => {
    const { SecretList = [] } = await client.send(new ListSecretsCommand({}));
    return SecretList.map((entry) => Object.keys(entry.SecretVersionsToStages ?? {}));
  };
  service.settings.listLagMs = 60_000;
  expect(await listed()).toEqual([]);
  clock.now = new Date('2026-11-22T10:01:00Z');
  expect(await listed()).toEqual([[token('v1')]]);
  service.vault.mustFind('s').addVersion(token('v2'), { text: 'b' }, undefined);
  clock.now = new Date('2026-11-22T10:01:59Z');
  expect(await listed()).toEqual([[token('v1')]]);
  clock.now = new Date('2026-11-22T10:02:00Z');
  expect(await listed()).toEqual([[token('v2'), token('v1')]]);
});

test('a secret with replicas is not deleted, and its name is free after its window', async () => {
  const { client, clock, service } = await open();
  const secret = service.vault.mustFind('s');
  secret.replicas.add('eu-west-1');
  const deletion = new DeleteSecretCommand({ SecretId: 's', RecoveryWindowInDays: 30 });
  await expect(client.send(deletion)).rejects.toMatchObject({ name: 'InvalidRequestException' });
  await client.send(
    new RemoveRegionsFromReplicationCommand({ SecretId: 's', RemoveReplicaRegions: ['eu-west-1'] }),
  );
  await client.send(deletion);
  clock.now = new Date('2026-12-22T09:59:59Z');
  expect(service.vault.find('s')).toBeDefined();
  clock.now = new Date('2026-12-22T10:00:00Z');
  expect(service.vault.find('s')).toBeUndefined();
  await client.send(new CreateSecretCommand({ Name: 's' }));
});

test('beyond 100, versions without labels are forgotten once they are a day old', async () => {
  const { clock, service } = await open();
  const secret = service.vault.mustFind('s');
  for (let i = 2; i <= 103; i += 1) secret.addVersion(token(`v${i}`), { text: `${i}` }, undefined);
  expect(secret.versions.size).toBe(103);
  clock.now = new Date('2026-11-23T10:00:00Z');
  secret.addVersion(token('v104'), { text: 'x' }, undefined);
  // Two of these have labels; of the 102 without, the two oldest go.
  expect([...secret.versions.keys()].slice(0, 2)).toEqual([token('v3'), token('v4')]);
  expect(secret.versions.size).toBe(102);
});

test('each call is in the journal with its function and the ARN it is about', async () => {
  const { client, journal, service } = await open();
  await client.send(new GetSecretValueCommand({ SecretId: 's' }));
  await client.send(new ListSecretsCommand({}));
  const arn = service.vault.arnOf('s');
  expect(
    journal.calls.map(({ action, resource, principal, status }) => [action, resource, principal, status]),
  ).toEqual([
    ['CreateSecret', arn, 'issue', 200],
    ['GetSecretValue', arn, 'issue', 200],
    ['ListSecrets', '*', 'issue', 200],
  ]);
});

test('a throttled call is one that the SDK tries again', async () => {
  const { client, journal, faults } = await open();
  faults.set('secretsmanager', 'GetSecretValue', { kind: 'error', code: 'ThrottlingException', status: 400 });
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: 's' }));
  expect(SecretString).toBe('a');
  expect(journal.count({ action: 'GetSecretValue' })).toBe(2);
});
