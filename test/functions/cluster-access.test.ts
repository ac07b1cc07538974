// The ways to reach a cluster that need no kubeconfig, and the settings that every cluster may have.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectClusters } from '../../functions/wiring/clusters.ts';
import type { ClusterSpec } from '../../lib/certificate/cluster-spec.ts';
import { describeError } from '../../lib/ports/errors.ts';
import { readSettings } from '../../lib/settings/functions.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { startKubernetes } from '../sandbox/kubernetes/server.ts';
import { mintServingCertificate } from '../sandbox/tls.ts';

const signal = AbortSignal.timeout(120_000);
const stranger = await mintServingCertificate('stranger');

/** A cluster, and a folder as Kubernetes mounts it into each pod. */
async function start() {
  const [journal, faults] = [new Journal(), new Faults()];
  const kubernetes = await startKubernetes({}, { journal, faults });
  onTestFinished(() => kubernetes.stop());
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-pod-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const keep = (name: string, text: string) => writeFile(join(folder, name), text);
  await keep('token', `${kubernetes.token('admin')}\n`);
  await keep('ca.crt', kubernetes.caPem);
  const { hostname, port } = new URL(kubernetes.server);
  const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  return { kubernetes, journal, faults, folder, keep, environment };
}

async function connect(
  spec: ClusterSpec,
  environment: Readonly<Record<string, string>> = {},
  kubeconfig = '',
) {
  const surroundings = {
    id: 'run-1',
    settings: readSettings(environment),
    inventory: { issuers: {}, clusters: { edge: spec }, certificates: [] },
    clock: new FakeClock('2026-11-22T10:00:00Z'),
    log: new FakeLog(),
  };
  const cluster = await connectClusters(surroundings, { readText: async () => kubeconfig })('edge', signal);
  onTestFinished(() => cluster.close());
  return cluster;
}

test('P22 W04 in a pod, a cluster is its own: the server from the environment, token and authority from files', async () => {
  const { folder, environment, journal } = await start();
  const cluster = await connect({ inCluster: { folder } }, environment);
  expect(await cluster.readSecret('default', 'web', signal)).toBeUndefined();
  expect(journal.find({ action: 'get secrets' })).toMatchObject([{ principal: 'admin', status: 404 }]);
});

test("a pod's token is read again once Kubernetes has exchanged it, while the connection stays", async () => {
  const { kubernetes, folder, keep, environment } = await start();
  const cluster = await connect({ inCluster: { folder } }, environment);
  await cluster.readSecret('default', 'web', signal);
  const token = kubernetes.exchangeToken('admin');
  await expect(cluster.readSecret('default', 'web', signal)).rejects.toMatchObject({
    code: 'SignInFailed',
    message: expect.stringContaining(`(401): the token in ${folder} is wrong or has expired`),
  });
  await keep('token', token);
  expect(await cluster.readSecret('default', 'web', signal)).toBeUndefined();
  expect(kubernetes.connections()).toBe(1);
});

test('outside of a pod, or in one without its files, that is said and nothing is asked', async () => {
  const { folder, environment, journal } = await start();
  const [outside, without] = await Promise.all([
    connect({ inCluster: { folder } }).catch(describeError),
    connect({ inCluster: true }, environment).catch(describeError),
  ]);
  expect(outside).toMatch(/^cluster edge is inCluster, but KUBERNETES_SERVICE_HOST .* are not set/);
  expect(without).toMatch(/^the service account of cluster edge has no token in \/var\/run\/secrets/);
  expect(journal.calls).toEqual([]);
});

test('K18 a cluster has the server, authority and proxy that the inventory gives it, before all others', async () => {
  const { kubernetes, folder } = await start();
  const elsewhere = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' };
  const inPod = await connect({ inCluster: { folder }, server: kubernetes.server }, elsewhere);
  expect(await inPod.readSecret('default', 'web', signal)).toBeUndefined();
  const kubeconfig = kubernetes
    .kubeconfig('admin')
    .replace(kubernetes.server, 'https://127.0.0.1:1')
    .replace(/certificate-authority-data: \S+/, '');
  const spec = { kubeconfig: { secret: 'any' }, server: kubernetes.server };
  const trusting = await connect({ ...spec, caBundle: kubernetes.caPem }, {}, kubeconfig);
  expect(await trusting.readSecret('default', 'web', signal)).toBeUndefined();
  const misled = await connect({ ...spec, caBundle: stranger.ca }, {}, kubeconfig);
  await expect(misled.readSecret('default', 'web', signal)).rejects.toMatchObject({
    code: 'Unreachable',
    message: expect.stringMatching(
      /does not fit the authority .* in the kubeconfig, or at the cluster in the inventory\)$/,
    ),
  });
  const proxied = await connect({
    inCluster: { folder },
    server: kubernetes.server,
    proxy: 'http://127.0.0.1:1',
  });
  await expect(proxied.readSecret('default', 'web', signal)).rejects.toMatchObject({ code: 'Unreachable' });
  expect(kubernetes.connections()).toBe(2);
});

test('timeoutSeconds ends an attempt at a server that takes the connection and says nothing', async () => {
  const { folder } = await start();
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  onTestFinished(async () => void silent.close());
  await new Promise((listening) => silent.once('listening', listening));
  const address = silent.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const spec = { inCluster: { folder }, server: `https://127.0.0.1:${port}`, timeoutSeconds: 1 };
  const started = performance.now();
  await expect((await connect(spec)).readSecret('default', 'web', signal)).rejects.toMatchObject({
    code: 'Unreachable',
  });
  expect(performance.now() - started).toBeLessThan(20_000);
});
