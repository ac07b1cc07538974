// What functions note of their work, on tags of the AWS secret of the installation, over the sandbox's strict
// double.
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { connectSecretsManager } from '../../lib/adapters/secrets-manager/connection.ts';
import { recordTrouble } from '../../lib/policy/health/trouble.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { startSecretsManager } from '../sandbox/secrets-manager/server.ts';

const never = new AbortController().signal;
const at = new Date('2026-11-29T10:00:00Z');
const later = new Date('2026-11-29T11:00:00Z');
const trouble = { since: at, code: 'Unreachable', words: 'no answer from 192.0.2.1' };

async function open(principal = 'deploy') {
  const journal = new Journal();
  const service = await startSecretsManager({ journal, faults: new Faults() });
  const { agents, installation, operations, notes, close } = connectSecretsManager({
    prefix: 'lab',
    uuid: randomUUID,
    config: {
      endpoint: service.url,
      region: 'eu-central-1',
      credentials: { accessKeyId: accessKeyOf(principal), secretAccessKey: 'any' },
    },
  });
  onTestFinished(async () => {
    close();
    await service.stop();
  });
  const countDescriptions = () => journal.calls.filter(({ action }) => action === 'DescribeSecret').length;
  return { agents, installation, operations, notes, vault: service.vault, countDescriptions };
}

test('who reads the same AWS secret at the same time shares one call, and later reads see what is new', async () => {
  const { installation, operations, countDescriptions } = await open();
  await installation.create({ firstRun: at, isUpgraded: false }, never);
  const read = () => Promise.all([installation.read(never), operations.read(never)]);
  expect(await read()).toMatchObject([{ firstRun: at }, { passes: {} }]);
  expect(countDescriptions()).toBe(1);
  await operations.recordEnd('deploy', at, never);
  expect(await read()).toMatchObject([{ firstRun: at }, { passes: { deploy: at } }]);
  expect(countDescriptions()).toBe(2);
  const stopped = AbortSignal.abort(new Error('time is up'));
  const both = await Promise.allSettled([installation.read(stopped), operations.read(never)]);
  expect(
    both.map(({ status }) => status),
    'time of one is none of the other',
  ).toEqual(['rejected', 'fulfilled']);
});

test('before the AWS secret is there nothing is noted, and nothing fails', async () => {
  const { operations, vault } = await open();
  await operations.recordEnd('probe', at, never);
  await operations.recordCluster('prod', trouble, never);
  await operations.recordCluster('prod', null, never);
  expect(await operations.read(never)).toEqual({ passes: {}, clusters: {} });
  expect(vault.secrets).toEqual([]);
});

test('each function notes the end of its last pass, and a cluster its trouble until there is none', async () => {
  const { installation, operations, vault } = await open();
  await installation.create({ firstRun: at, isUpgraded: false }, never);
  for (const end of [at, later]) await operations.recordEnd('deploy', end, never);
  await operations.recordEnd('probe', at, never);
  await operations.recordEnd('discover', at, never);
  await operations.recordCluster('prod', trouble, never);
  await operations.recordCluster('Lab_2', { ...trouble, code: 'SignInFailed' }, never);
  expect(await operations.read(never)).toEqual({
    passes: { deploy: later, probe: at, discover: at },
    clusters: { prod: trouble, Lab_2: { ...trouble, code: 'SignInFailed' } },
  });
  await installation.recordPass({ endedAt: later, comparedUntil: at }, never);
  await operations.recordCluster('prod', null, never);
  const { passes, clusters } = await operations.read(never);
  expect([passes.issue, Object.keys(clusters)]).toEqual([later, ['Lab_2']]);
  expect(vault.mustFind('lab/installation').tags.has('certrelay:cluster/prod')).toBe(false);
  expect(await installation.read(never)).toMatchObject({ firstRun: at, lastPass: later });
});

test('what status notes is read as it was written', async () => {
  const { notes } = await open('status');
  const subjects = {
    'cluster/prod': {
      health: 'Healthy',
      reason: 'ClusterFailing',
      since: at,
      told: ['events', 'notices'],
      acknowledged: { until: later, reason: 'ClusterFailing', words: 'the network is moved' },
      wellSince: later,
    },
    'issuer/le': {
      health: 'Degraded',
      reason: 'IssuerFailing',
      since: at,
      told: ['events'],
      wasDegraded: true,
      isCaused: true,
      turn: '0a1b2c3d',
    },
  } as const;
  const writes = { since: at, count: 3, last: later };
  const written = { began: at, subjects, digestedAt: later, writes };
  await notes.write(written, never);
  expect(await notes.read(never)).toEqual(written);
});

test.each([
  'x'.repeat(400),
  'é'.repeat(400),
  '日本'.repeat(200),
  '= & "quoted" \u{1f600} '.repeat(30),
])('the trouble of a cluster is one tag, whatever its words: %s', async (words) => {
  const { installation, operations, vault } = await open();
  await installation.create({ firstRun: at, isUpgraded: false }, never);
  await operations.recordCluster('prod', { ...trouble, words }, never);
  const noted = (await operations.read(never)).clusters.prod;
  expect(noted).toMatchObject({ since: at, code: 'Unreachable' });
  expect(noted?.words.length).toBeGreaterThan(15);
  const [begin = '-', end = '-'] = noted?.words.split('…') ?? [];
  expect([words.startsWith(begin), words.trim().endsWith(end)]).toEqual([true, true]);
  expect(recordTrouble({ code: 'Unreachable', words: words.trim() }, noted, later), 'nothing is new').toBe(
    noted,
  );
  const keys = [...vault.mustFind('lab/installation').tags.keys()];
  expect(keys.filter((key) => key.includes('cluster'))).toEqual(['certrelay:cluster/prod']);
});

test('of a long trouble what to do is kept, not how the call went', async () => {
  const { installation, operations } = await open();
  await installation.create({ firstRun: at, isUpgraded: false }, never);
  const role = 'arn:aws:iam::123456789012:role/certrelay-production-eu-central-1-deploy-function-role';
  const cure = 'give it an access entry in the EKS cluster prod, with a user name that a RoleBinding names';
  const words = `the server does not accept the credentials (401): cluster prod does not know ${role}: ${cure}`;
  await operations.recordCluster('prod', { ...trouble, words }, never);
  expect((await operations.read(never)).clusters.prod?.words).toMatch(
    new RegExp(`^the server does not accept .*….*: ${cure}$`),
  );
});

test('tags that somebody changed are nothing that was noted', async () => {
  const { installation, operations, vault } = await open();
  await installation.create({ firstRun: at, isUpgraded: false }, never);
  vault.mustFind('lab/installation').setTags([
    ['certrelay:deployPass', 'yesterday'],
    ['certrelay:probePass', ''],
    ['certrelay:cluster/prod', 'down'],
    ['certrelay:cluster/lab', ''],
    ['certrelay:clusters', 'many'],
  ]);
  expect(await operations.read(never)).toEqual({ passes: {}, clusters: {} });
});

test.each([
  '-200000-01-01T00:00:00Z',
  '+200000-01-01T00:00:00Z',
  '2026',
])('an agent says when it was seen as the others do, or not at all: %s', async (time) => {
  const { agents, vault } = await open();
  vault.make('lab/agents/edge');
  await agents.record({ cluster: 'edge', lastSeen: at }, never);
  expect(await agents.list(never)).toMatchObject([{ cluster: 'edge', lastSeen: at }]);
  vault.mustFind('lab/agents/edge').setTags([
    ['certrelay:lastSeen', time],
    ['certrelay:deregistered', time],
    ['certrelay:problem', 'it=0A=1B=5B2J=E2=80=AEfailed'],
  ]);
  const [found] = await agents.list(never);
  expect(found?.problem).toBe('it [2J failed');
  expect([found?.lastSeen, found?.deregistered]).toEqual([undefined, undefined]);
});

test('an AWS secret that another function made is no record yet: issue makes one of it, and leaves its value', async () => {
  const { installation, operations, vault } = await open();
  const secret = vault.make('lab/installation');
  const values = () => JSON.stringify([...secret.versions.values()]);
  const before = values();
  await operations.recordEnd('deploy', at, never);
  expect(await installation.read(never)).toBeUndefined();
  await installation.create({ firstRun: at, isUpgraded: false }, never);
  expect(await installation.read(never)).toMatchObject({ firstRun: at, isUpgraded: false, lastPass: 'open' });
  await installation.create({ firstRun: later, isUpgraded: true }, never);
  expect(await installation.read(never)).toMatchObject({ firstRun: at, isUpgraded: false });
  expect((await operations.read(never)).passes).toEqual({ deploy: at });
  expect(values()).toBe(before);
});
