// Where clusters' kubeconfigs come from, and what a person is told where they do not come.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectClusters } from '../../functions/wiring/clusters.ts';
import type { KubeconfigSource } from '../../lib/certificate/cluster-spec.ts';
import { describeError } from '../../lib/ports/errors.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';

const signal = new AbortController().signal;
const kubeconfig = `
current-context: here
contexts: [{ name: here, context: { cluster: c, user: u } }]
clusters: [{ name: c, cluster: { server: "https://127.0.0.1:6443" } }]
users: [{ name: u, user: { token: secret-token } }]
`;

function open(source: KubeconfigSource, readText: (secret: string) => Promise<string>) {
  const settings = {
    prefix: 'lab/certrelay',
    logLevel: 'info',
    webhookSecret: '',
    staleAfterMs: 0,
    intervals: {},
  } as const;
  const inventory = { issuers: {}, clusters: { prod: { kubeconfig: source } }, certificates: [] };
  const clock = new FakeClock('2026-11-22T10:00:00Z');
  return connectClusters({ id: 'run-1', settings, inventory, clock, log: new FakeLog() }, { readText });
}

const denied = async (): Promise<string> => {
  throw new StoreError('Denied', 'AWS denied it');
};

test('a kubeconfig comes from the AWS secret or the file that the inventory names', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-clusters-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'kubeconfig');
  await writeFile(file, kubeconfig);
  const read: string[] = [];
  const readText = async (secret: string) => {
    read.push(secret);
    return kubeconfig;
  };
  for (const source of [{ secret: 'lab/certrelay/clusters/prod' }, { file }]) {
    await (await open(source, readText)('prod', signal)).close();
  }
  expect(read).toEqual(['lab/certrelay/clusters/prod']);
});

test('an AWS secret outside what the role allows is told so, with both ways out', async () => {
  const refused = open({ secret: 'certrelay/clusters/prod' }, denied)('prod', signal);
  await expect(refused).rejects.toMatchObject({ code: 'SignInFailed' });
  expect(await refused.catch(describeError)).toBe(
    "the kubeconfig of cluster prod cannot be read (deploy's role allows AWS secrets below lab/certrelay/clusters/: name it so, or widen ReadKubeconfigs in infra/template/roles.yml): AWS denied it",
  );
});

test.each([
  [
    'an AWS secret that should be allowed',
    { secret: 'lab/certrelay/clusters/prod' },
    /cannot be read: AWS denied it$/,
  ],
  ['a file that is missing', { file: '/nowhere/kubeconfig' }, /cannot be read: ENOENT/],
])('%s is named with the cause alone', async (_, source, message) => {
  const refused = open(source, denied)('prod', signal);
  await expect(refused).rejects.toMatchObject({ code: 'SignInFailed' });
  expect(await refused.catch(describeError)).toMatch(message);
});

test('a cluster that the inventory does not have is told so', async () => {
  await expect(open({ file: 'any' }, denied)('typo', signal)).rejects.toMatchObject({
    code: 'SignInFailed',
    message: 'the inventory has no cluster "typo"; there is only prod',
  });
});
