// How calls to a cluster behave when the network or the server does not.
import { expect, onTestFinished, test } from 'vitest';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { describeError } from '../../lib/ports/errors.ts';
import { encode, manifestOf } from '../contracts/kubernetes-harness.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { startKubernetes } from '../sandbox/kubernetes/server.ts';

const first = { manager: 'certrelay' } as const;

async function open() {
  const [journal, faults, clock, log] = [
    new Journal(),
    new Faults(),
    new FakeClock('2026-11-22T10:00:00Z'),
    new FakeLog(),
  ];
  const kubernetes = await startKubernetes({}, { journal, faults });
  onTestFinished(() => kubernetes.stop());
  const cluster = connectCluster({
    name: 'lab',
    access: readKubeconfig('lab', kubernetes.kubeconfig('admin')),
    clock,
    log,
  });
  onTestFinished(() => cluster.close());
  return { kubernetes, cluster, journal, faults, clock, log, signal: AbortSignal.timeout(30_000) };
}

test('many calls at once share one TLS connection', async () => {
  const { cluster, kubernetes, signal } = await open();
  await Promise.all(Array.from({ length: 50 }, () => cluster.readSecret('default', 'web', signal)));
  expect(kubernetes.connections()).toBe(1);
});

test('a list of more than one page is read to its end', async () => {
  const { cluster, kubernetes, journal, signal } = await open();
  for (let index = 0; index < 501; index += 1) {
    kubernetes.create(workloadOf('Deployment', 'default', { name: `web-${index}` }).body);
  }
  expect(await cluster.listWorkloads('default', 'Deployment', signal)).toHaveLength(501);
  expect(journal.count({ action: 'list deployments' })).toBe(2);
});

test.for([
  ['drop', { kind: 'drop' }, 'Unreachable'],
  ['lost answer', { kind: 'lose' }, 'Unreachable'],
  ['429', { kind: 'error', code: 'TooManyRequests', status: 429 }, 'Unavailable'],
  ['500', { kind: 'error', code: 'InternalError', status: 500 }, 'Unavailable'],
  ['503', { kind: 'error', code: 'ServiceUnavailable', status: 503 }, 'Unavailable'],
  ['malformed answer', { kind: 'malformed' }, 'Malformed'],
] as const)('after a %s a call is made again, at most three times in all', async ([, fault, code]) => {
  const { cluster, faults, journal, signal } = await open();
  faults.set('kubernetes', 'patch secrets', fault, 2);
  const made = await cluster.applySecret(manifestOf('default', { a: '1' }), first, signal);
  expect(made.data).toEqual({ a: encode('1') });
  expect(journal.count({ action: 'patch secrets' })).toBe(3);
  faults.set('kubernetes', 'get secrets', fault, 3);
  await expect(cluster.readSecret('default', 'web', signal)).rejects.toMatchObject({ code });
  expect(journal.count({ action: 'get secrets' })).toBe(3);
});

test('what the server asks for by Retry-After is waited for, up to 5 s', async () => {
  const { cluster, faults, clock, signal } = await open();
  const busy = { kind: 'error', code: 'TooManyRequests', status: 429 } as const;
  faults.set('kubernetes', 'get secrets', { ...busy, headers: { 'retry-after': '2' } });
  faults.set('kubernetes', 'get secrets', { ...busy, headers: { 'retry-after': '3600' } });
  await cluster.readSecret('default', 'web', signal);
  expect(clock.slept).toEqual([2000, 5000]);
});

test('a refusal is final: it is not asked again', async () => {
  const { cluster, faults, journal, signal } = await open();
  faults.set('kubernetes', 'get secrets', { kind: 'error', code: 'Forbidden', status: 403 });
  await expect(cluster.readSecret('default', 'web', signal)).rejects.toMatchObject({ code: 'Forbidden' });
  expect(journal.count({ action: 'get secrets' })).toBe(1);
});

test.for([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
  const { cluster, kubernetes, faults, journal, signal } = await open();
  kubernetes.create(workloadOf('Deployment', 'default', { name: 'web' }).body);
  const headers = { location: '/apis/apps/v1/namespaces/default/deployments' };
  faults.set('kubernetes', 'patch secrets', { kind: 'error', code: 'Found', status, headers });
  await expect(cluster.applySecret(manifestOf('default', { a: '1' }), first, signal)).rejects.toMatchObject({
    code: 'Rejected',
    message: expect.stringContaining(`the server redirects (${status}), which is not followed: give`),
  });
  expect(journal.find({}).map(({ action }) => action)).toEqual(['patch secrets']);
});

test('C10 a server too old for server-side apply is told by the version that is needed, and not asked again', async () => {
  const { cluster, faults, journal, signal } = await open();
  const message = 'the body of the request was in an unknown format - accepted media types include: others';
  faults.set('kubernetes', 'patch secrets', {
    kind: 'error',
    code: 'UnsupportedMediaType',
    status: 415,
    message,
  });
  await expect(cluster.applySecret(manifestOf('default', { a: '1' }), first, signal)).rejects.toMatchObject({
    code: 'Unsupported',
    message: expect.stringMatching(
      /^patch secrets default\/web in cluster lab: .* needs Kubernetes 1\.22 or later, or 1\.16 with .*unknown format/,
    ),
  });
  expect(journal.count({ action: 'patch secrets' })).toBe(1);
});

test('a call ends with the reason of the signal as soon as it is aborted', async () => {
  const { cluster, journal, faults } = await open();
  faults.set('kubernetes', 'get secrets', { kind: 'delay', ms: 30_000 });
  const time = new AbortController();
  journal.before(() => time.abort(new Error('time is up')));
  const started = performance.now();
  await expect(cluster.readSecret('default', 'web', time.signal)).rejects.toThrow('time is up');
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('a 404 that is not of a Kubernetes API server does not mean that there is no Secret', async () => {
  const { cluster, faults, signal } = await open();
  faults.set('kubernetes', 'get secrets', { kind: 'malformed' }, 3);
  await expect(cluster.readSecret('default', 'missing', signal)).rejects.toMatchObject({
    code: 'Malformed',
    message: expect.stringMatching(/404, is not of a Kubernetes API server/),
  });
});

test('a server that is gone is Unreachable, with the reason', async () => {
  const { cluster, kubernetes, signal } = await open();
  await kubernetes.stop();
  await expect(cluster.readSecret('default', 'web', signal)).rejects.toMatchObject({
    code: 'Unreachable',
    message: expect.stringMatching(
      /^get secrets default\/web in cluster lab: no answer from 127\.0\.0\.1:\d+ \(ECONNREFUSED: .*check the address/,
    ),
  });
});

test('no message quotes a Secret: neither a webhook that repeats it, nor an answer cut short', async () => {
  const { cluster, faults, log, signal } = await open();
  const key = encode('-----BEGIN PRIVATE KEY-----\nsecret secret secret secret secret secret');
  const message = `admission webhook "nosy.example" denied the request: data was ${key}`;
  faults.set('kubernetes', 'patch secrets', { kind: 'error', code: 'Invalid', status: 422, message });
  const refused = await cluster.applySecret(manifestOf('default', {}), first, signal).catch(describeError);
  expect(refused).toContain('admission webhook "nosy.example" denied the request: data was …');
  faults.set('kubernetes', 'get secrets', { kind: 'malformed' }, 3);
  await cluster.applySecret(manifestOf('default', { a: key }), first, signal);
  const malformed = await cluster.readSecret('default', 'web', signal).catch(describeError);
  expect(malformed).toBe('get secrets default/web in cluster lab: the answer is not JSON');
  expect(JSON.stringify([refused, malformed, log.lines])).not.toContain(key.slice(0, 40));
});
