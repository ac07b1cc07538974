// The AWS secret of the installation, over the sandbox's strict double.
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { connectSecretsManager } from '../../lib/adapters/secrets-manager/connection.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { startSecretsManager } from '../sandbox/secrets-manager/server.ts';

const never = new AbortController().signal;
const firstRun = new Date('2026-11-29T10:00:00Z');
const endedAt = new Date('2026-11-29T10:05:00Z');

async function open() {
  const service = await startSecretsManager({ journal: new Journal(), faults: new Faults() });
  const secrets = connectSecretsManager({
    prefix: 'lab',
    uuid: randomUUID,
    config: {
      endpoint: service.url,
      region: 'eu-central-1',
      credentials: { accessKeyId: accessKeyOf('issue'), secretAccessKey: 'any' },
    },
  });
  onTestFinished(async () => {
    secrets.close();
    await service.stop();
  });
  return { installation: secrets.installation, vault: service.vault };
}

test('it is made once, tells that no pass has ended yet, and then when the last one did', async () => {
  const { installation } = await open();
  expect(await installation.read(never)).toBeUndefined();
  await installation.create({ firstRun, isUpgraded: true }, never);
  await installation.create({ firstRun: endedAt, isUpgraded: false }, never);
  expect(await installation.read(never)).toEqual({
    firstRun,
    isUpgraded: true,
    lastPass: 'open',
    comparedUntil: undefined,
  });
  await installation.recordPass({ endedAt, comparedUntil: firstRun }, never);
  expect(await installation.read(never)).toEqual({
    firstRun,
    isUpgraded: true,
    lastPass: endedAt,
    comparedUntil: firstRun,
  });
});

test('emptied tags do not make it look as if no pass had ended, nor as if it were new', async () => {
  const { installation, vault } = await open();
  await installation.create({ firstRun, isUpgraded: true }, never);
  const secret = vault.mustFind('lab/installation');
  secret.setTags([
    ['certrelay:firstRun', ''],
    ['certrelay:upgraded', ''],
    ['certrelay:issuePass', 'soon'],
  ]);
  expect(await installation.read(never)).toEqual({
    firstRun: new Date(0),
    isUpgraded: true,
    lastPass: undefined,
    comparedUntil: undefined,
  });
});

test('one that is to be deleted is an error that says how to restore it', async () => {
  const { installation, vault } = await open();
  await installation.create({ firstRun, isUpgraded: false }, never);
  vault.mustFind('lab/installation').scheduleDeletion(30);
  await expect(installation.read(never)).rejects.toThrow(
    'scheduled for deletion: restore it (aws secretsmanager restore-secret --secret-id lab/installation)',
  );
});

test('channels that cannot be reached are kept with why, and forgotten when they work again', async () => {
  const { installation, vault } = await open();
  await installation.create({ firstRun, isUpgraded: false }, never);
  const channels = Array.from({ length: 10 }, (_, index) => ({
    channel: `webhook ops-${index}`,
    since: endedAt,
    words: `answered 503: "Bädly: überlastet"\n${'x'.repeat(200)}`,
  }));
  await installation.recordChannels(channels, never);
  const told = Array.from({ length: 60 }, (_, index) => ({
    key: index.toString(16).padStart(8, '0'),
    at: new Date('2026-11-30T08:15:00Z'),
    ...(index % 2 === 0 ? { isOpen: true as const } : {}),
  }));
  await installation.recordIncidents(told, never);
  expect((await installation.read(never))?.toldIncidents).toEqual(told);
  await installation.recordIncidents([], never);
  const read = (await installation.read(never))?.failingChannels ?? [];
  expect(read.map(({ channel, since }) => [channel, since])).toEqual(
    channels.map(({ channel, since }) => [channel, since]),
  );
  expect(read[9]?.words).toMatch(/^answered 503: "Bädly: überlastet" x+…$/);
  await installation.recordChannels(channels.slice(0, 1), never);
  expect((await installation.read(never))?.failingChannels).toMatchObject([{ channel: 'webhook ops-0' }]);
  await installation.recordChannels([], never);
  expect(await installation.read(never)).not.toHaveProperty('failingChannels');
  vault.mustFind('lab/installation').setTags([['certrelay:channels', 'somebody=20wrote=20this']]);
  expect(await installation.read(never)).not.toHaveProperty('failingChannels');
});
