// An agent beside the functions, as it is built and with the role of infra/agent-role.yaml: what it may do,
// what it does, and what `status` says of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeState } from '../../lib/state/codec/tags.ts';
import { findBuilt } from '../built.ts';
import { neededFor } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { credentialsOf, prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const secretOf = (name: string) => `${prefix}/certificates/${name}`;
const statusOf = async (): Promise<unknown> => (await sandbox.lambda.invoke('status', {})).answer;

let sandbox: Sandbox;
let folder: string;

beforeAll(async () => {
  sandbox = await startSandbox({
    namespaces: ['shop'],
    kmsKey: 'arn:aws:kms:eu-central-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef',
    certificates: [
      {
        name: 'shop',
        domains: ['shop.example.com'],
        probe: false,
        targets: [
          { cluster: 'lab', namespace: 'shop', secret: 'lab-tls' },
          { cluster: 'edge', namespace: 'shop', secret: 'edge-tls' },
        ],
      },
      {
        name: 'depot',
        domains: ['depot.example.com'],
        probe: false,
        targets: [{ cluster: 'depot', namespace: 'shop', secret: 'depot-tls' }],
      },
    ],
  });
  folder = await mkdtemp(join(tmpdir(), 'certrelay-agent-'));
  await writeFile(join(folder, 'kubeconfig'), sandbox.kubernetes.kubeconfig('certrelay'));
  // As infra/agent-role.yaml does.
  await sandbox.keepSecrets({ [`${prefix}/agents/edge`]: '-', [`${prefix}/agents/depot`]: '-' });
  await sandbox.lambda.invoke('issue', {});
  await sandbox.queues.deploy.untilEmpty();
});
afterAll(async () => {
  await sandbox?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs an agent to its end, or ends it by SIGTERM once it has written a line. */
async function runAgent(
  cluster: string,
  settings: Readonly<Record<string, string>> = {},
  { args = [], until }: { readonly args?: readonly string[]; readonly until?: string } = {},
): Promise<{ readonly status: number | null; readonly output: string }> {
  const bundle = join((await findBuilt('bundles')) ?? '', 'agent', 'index.js');
  const { signingKey } = (await statusOf()) as { readonly signingKey: string };
  const child = spawn(process.execPath, [bundle, ...args], {
    env: {
      ...sandbox.environment,
      ...credentialsOf(`agent-${cluster}`),
      CERTRELAY_CLUSTER: cluster,
      CERTRELAY_SIGNING_KEY: signingKey,
      CERTRELAY_KUBECONFIG: join(folder, 'kubeconfig'),
      CERTRELAY_AGENT_VERSION: 'abc123',
      ...settings,
    },
  });
  if (until !== undefined) {
    child.stdout.on('data', (chunk: Buffer) => void (chunk.includes(until) && child.kill('SIGTERM')));
  }
  const streams = [text(child.stdout), text(child.stderr)];
  const [lines, [status]] = await Promise.all([Promise.all(streams), once(child, 'close')]);
  return { status, output: lines.join('') };
}

it('W01 W05 W06 W22 delivers what is signed for its cluster, by calls outwards alone to where its environment says, and shows in status at once', async () => {
  expect(await statusOf()).toMatchObject({
    signingKey: expect.stringMatching(/^[\w-]{43}$/),
    agents: [
      { name: 'depot', reason: 'AgentNeverSeen' },
      { name: 'edge', reason: 'AgentNeverSeen' },
    ],
    certificates: [{ health: 'Progressing' }, { health: 'Progressing' }],
  });
  expect(sandbox.kubernetes.find('secrets', 'shop', 'edge-tls')).toBeUndefined();
  sandbox.journal.clear();

  expect(await runAgent('edge')).toMatchObject({ status: 0 });
  expect(sandbox.kubernetes.find('secrets', 'shop', 'edge-tls')).toMatchObject({ type: 'kubernetes.io/tls' });
  expect(await statusOf()).toMatchObject({
    agents: [
      { name: 'depot', reason: 'AgentNeverSeen' },
      { name: 'edge', health: 'Healthy', version: 'abc123' },
    ],
    certificates: [
      { name: 'depot', health: 'Progressing' },
      {
        name: 'shop',
        health: 'Healthy',
        targets: [
          { target: 'lab/shop/lab-tls', health: 'Healthy' },
          { target: 'edge/shop/edge-tls', health: 'Healthy' },
        ],
      },
    ],
  });
  const { answer } = await sandbox.lambda.invoke('deploy', { certificates: ['shop'] });
  expect(answer).toMatchObject({ certificates: [{ decision: 'unchanged' }] });
});

it('Y10 its role allows each call that it made, and no action that it did not use', () => {
  const calls = sandbox.journal.find({ service: 'secretsmanager', principal: 'agent-edge' });
  expect(calls.filter(({ status }) => status !== 200)).toEqual([]);
  const allowed = (sandbox.policies.get('agent-edge') ?? []).flatMap(({ actions }) => actions);
  const used = calls.flatMap(neededFor).map(({ action }) => action);
  expect([...new Set(used)].toSorted()).toEqual([...new Set(allowed)].toSorted());
});

it('W02 one cluster’s role cannot read another’s certificates, nor sign, nor report for it', async () => {
  const credentials = { accessKeyId: accessKeyOf('agent-edge'), secretAccessKey: 'sandbox' };
  const endpoint = sandbox.secretsManager.url;
  const client = new SecretsManagerClient({ endpoint, region: 'eu-central-1', credentials });
  const tag = (name: string, ...keys: readonly string[]) =>
    new TagResourceCommand({ SecretId: name, Tags: keys.map((Key) => ({ Key, Value: 'x' })) });
  const refusedIn = async (call: Promise<unknown>) =>
    call.then(
      () => 'allowed',
      (error: Error) => error.name,
    );
  const report = 'certrelay:agent-report/edge';
  const calls = {
    own: client.send(new GetSecretValueCommand({ SecretId: secretOf('shop') })),
    theirs: client.send(new GetSecretValueCommand({ SecretId: secretOf('depot') })),
    theirTags: client.send(new DescribeSecretCommand({ SecretId: secretOf('depot') })),
    signingKey: client.send(new GetSecretValueCommand({ SecretId: `${prefix}/signing-key` })),
    kubeconfig: client.send(new GetSecretValueCommand({ SecretId: `${prefix}/clusters/lab` })),
    ownReport: client.send(tag(secretOf('shop'), report)),
    theirReport: client.send(tag(secretOf('shop'), 'certrelay:agent-report/depot')),
    reportAndSignature: client.send(tag(secretOf('shop'), report, 'certrelay:agent/edge')),
    onTheirs: client.send(tag(secretOf('depot'), report)),
    theirPlace: client.send(tag(`${prefix}/agents/depot`, 'certrelay:lastSeen')),
  };
  const answers = Object.entries(calls).map(async ([name, call]) => [name, await refusedIn(call)] as const);
  const denied = 'AccessDeniedException';
  expect(Object.fromEntries(await Promise.all(answers))).toEqual({
    own: 'allowed',
    theirs: denied,
    theirTags: denied,
    signingKey: denied,
    kubeconfig: denied,
    ownReport: 'allowed',
    theirReport: denied,
    reportAndSignature: denied,
    onTheirs: denied,
    theirPlace: denied,
  });
  client.destroy();
});

it('deploy resumes a version that an agent holds, with the role that it has, and the agent goes on', async () => {
  const secret = sandbox.secretsManager.vault.mustFind(secretOf('shop'));
  const version = secret.labels.get('AWSCURRENT') ?? '';
  const freeze = { version, target: 'edge/shop/edge-tls', reason: 'Deployment web hung' };
  const healthOfShop = async () =>
    Object(await statusOf()).certificates.find((one: { readonly name: string }) => one.name === 'shop')
      ?.health;
  secret.setTags(Object.entries(encodeState({ reports: { edge: { freeze } } })));
  expect(await runAgent('edge')).toMatchObject({ status: 0 });
  expect(await healthOfShop()).toBe('Degraded');

  const { error } = await sandbox.lambda.invoke('deploy', { certificates: ['shop'], resume: true });
  expect(error).toBeUndefined();
  expect(await healthOfShop()).toBe('Progressing');
  expect(await runAgent('edge')).toMatchObject({ status: 0 });
  expect(await healthOfShop()).toBe('Healthy');
});

it('W10 W20 a loop ends at SIGTERM with the pass under way; only deregister says that it is not wanted any more', async () => {
  const settings = { CERTRELAY_AGENT_INTERVAL: '300' };
  expect(await runAgent('depot', settings, { until: 'agent reconciled' })).toMatchObject({ status: 0 });
  expect(sandbox.kubernetes.find('secrets', 'shop', 'depot-tls')).toBeDefined();
  expect(await statusOf()).toMatchObject({ agents: [{ name: 'depot', health: 'Healthy' }, {}] });
  expect(await runAgent('depot', {}, { args: ['deregister'] })).toMatchObject({ status: 0 });
  expect(await statusOf()).toMatchObject({ agents: [{ name: 'depot', reason: 'AgentDeregistered' }, {}] });
});

it('W13 what was signed by another key ends with an error, in its status and in the answer of a check', async () => {
  const { status, output } = await runAgent('edge', { CERTRELAY_SIGNING_KEY: 'A'.repeat(43) });
  expect(status).toBe(1);
  expect(output).toContain('was not signed for cluster edge');
  expect(await statusOf()).toMatchObject({ agents: [{}, { name: 'edge', reason: 'AgentFailing' }] });
  const { error } = await sandbox.lambda.invoke('status', { check: true });
  expect(error?.errorMessage).toContain('agent edge: AgentFailing: shop: it was not signed for cluster edge');
});

it('W16 status is answered to signed calls alone: AWS IAM says who may invoke it', async () => {
  const { AWS_ENDPOINT_URL_LAMBDA: endpoint } = sandbox.environment;
  const path = '/2015-03-31/functions/certrelay-dev-status/invocations';
  const answer = await fetch(`${endpoint}${path}`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(403);
  expect(await answer.text()).toContain('Missing Authentication Token');
});

it('W18 K33 status counts what needs a person as CloudWatch metrics of this installation, by the log', async () => {
  const { log } = await sandbox.lambda.invoke('status', {});
  const metrics = log.filter((line) => line.includes('CloudWatchMetrics')).map((line) => JSON.parse(line));
  expect(metrics).toEqual([
    {
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          { Namespace: 'Certrelay', Dimensions: [['Installation']], Metrics: expect.any(Array) },
        ],
      },
      Installation: 'certrelay',
      DegradedCertificates: 0,
      DegradedOthers: expect.any(Number),
      SuspendedCertificates: 0,
      SoonestExpiryDays: expect.any(Number),
      PendingTargets: expect.any(Number),
      Certificates: expect.any(Number),
    },
  ]);
});
