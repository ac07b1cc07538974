// What one cluster that answers without an end costs the others of the same pass: nothing.

import { expect, onTestFinished, test } from 'vitest';
import { connectClusters, connectDirectories } from '../../functions/wiring/clusters.ts';
import { discoverCertificates } from '../../lib/discover/discover.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { createRegisterSpec } from '../../lib/register/registration.ts';
import { realClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { answerJson, type Script, startScripted, writeForEver } from '../fakes/scripted-api-server.ts';
import { FakeStore } from '../fakes/store.ts';
import { tagsOfState } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { startKubernetes } from '../sandbox/kubernetes/server.ts';
import { openHarness, targetsOf } from './harness.ts';

const hastyClock = {
  ...realClock,
  sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 20)),
};
const settings = {
  prefix: 'certrelay',
  logLevel: 'info',
  webhookSecret: '',
  staleAfterMs: 0,
  intervals: {},
} as const;

/** Pages for ever, each with something new in it. */
const endlessPages: Script = (url, response) => {
  const page = Number(url.searchParams.get('continue') ?? 0) + 1;
  if (url.pathname.includes('/secrets/')) return answerJson(response, { kind: 'Status', code: 404 }, 404);
  setTimeout(() => answerJson(response, { metadata: { continue: String(page) }, items: [] }), 60);
};

const hanging: Script = () => undefined;
const flooding: Script = (_, response) => writeForEver(response, '{"items":[{"a":"');

test.each([
  ['never answers', hanging],
  ['answers without an end', flooding],
])('deploy serves the others while a cluster %s, and says of its targets what is wrong', async (_, script) => {
  const kubeconfig = await startScripted(script);
  const inventory = { issuers: {}, clusters: { bad: { kubeconfig: { secret: 'bad' } } }, certificates: [] };
  const workUntil = new Date(Date.now() + 8_000);
  const surroundings = { id: 'r1', settings, inventory, workUntil, clock: hastyClock, log: new FakeLog() };
  const connect = connectClusters(surroundings, { readText: async () => kubeconfig });
  const signal = AbortSignal.timeout(8_000);
  const harness = await openHarness({
    targets: [targetOf({ cluster: 'bad' }), targetOf()],
    reach: (name) => (name === 'bad' ? connect(name, signal) : undefined),
  });
  const report = await harness.deploy({}, signal);
  expect(signal.aborted).toBe(false);
  expect(harness.secret()).toBeDefined();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['pending', 'delivered']);
  expect(targetsOf(report)[0]?.message).toMatch(
    /^get secrets shop\/shop-tls in cluster bad: (the cluster has used up its share|the answer is larger)/,
  );
  expect([...report.failures.keys()]).toEqual(['shop']);
  expect(tagsOfState((await harness.store.describe('shop'))?.state).deployed).toMatch(/^version-1\//);
});

test.each([
  ['never answers', hanging, /cluster bad: the cluster has used up its share of this run's time, \d+ s/],
  ['sends pages for ever', endlessPages, /cluster bad: (the cluster has used|the list does not end)/],
  [
    'answers without an end',
    flooding,
    /cluster bad: (the cluster has used|the answer is larger than 16 MiB)/,
  ],
])('discover registers what the others ask for while a cluster %s, and names that one', async (_, script, problem) => {
  const good = await startKubernetes(
    { namespaces: ['shop'] },
    { journal: new Journal(), faults: new Faults() },
  );
  onTestFinished(() => good.stop());
  good.create({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop', annotations: { 'certrelay.dev/tls': 'true' } },
    spec: { tls: [{ hosts: ['shop.example.com'], secretName: 'shop-tls' }] },
  });
  const texts: Record<string, string> = { good: good.kubeconfig('admin'), bad: await startScripted(script) };
  const parsed = parseInventory(`
issuers:
  default: { directory: letsencrypt-staging, agreeToTerms: true }
clusters:
  bad: { kubeconfig: { secret: bad } }
  good: { kubeconfig: { secret: good } }
discovery:
  places: [bad/shop, good/shop]
  zones: [example.com]
`);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { inventory } = parsed;
  const [store, log] = [new FakeStore(), new FakeLog()];
  const workUntil = new Date(Date.now() + 8_000);
  const surroundings = { id: 'r1', settings, inventory, workUntil, clock: hastyClock, log };
  const connect = connectDirectories(surroundings, { readText: async (name) => texts[name] ?? '' });
  const register = createRegisterSpec({
    inventory,
    store,
    retirements: store,
    queue: { send: async () => undefined },
    clock: realClock,
    log,
  });
  const signal = AbortSignal.timeout(8_000);
  const report = await discoverCertificates(
    { connect, register, store, clock: realClock, log },
    { id: 'r1', inventory, signal },
  );
  expect(report.certificates).toMatchObject([{ outcome: 'registered', target: 'good/shop/shop-tls' }]);
  expect(report.failures.map(({ message }) => message)).toEqual([expect.stringMatching(problem)]);
});
