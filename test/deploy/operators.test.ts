// Workloads that an operator owns, which puts their pod template back: what is left of a restart, and what is
// said of it.
import { expect, test } from 'vitest';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { targetOf } from '../minting/targets.ts';
import type { KeepsAnnotation } from '../sandbox/kubernetes/operators.ts';
import { type Harness, type HarnessOptions, only, openHarness, targetsOf } from './harness.ts';
import { apps, patchesOf, readWorkload } from './workloads.ts';

const mark = 'certrelay.dev/fingerprint-shop-tls';
const restartedAt = 'kubectl.kubernetes.io/restartedAt';
const keepsKubectl: KeepsAnnotation = (name, on) =>
  on === 'workload' || name.startsWith('kubectl.kubernetes.io/');
const keepsNone: KeepsAnnotation = (_, on) => on === 'workload';
const template = (annotations: object) => ({ spec: { template: { metadata: { annotations } } } });

/** A StatefulSet `db` of `Prometheus main`, whose pods have run for an hour. */
async function openOperated(keeps: KeepsAnnotation, options: Partial<HarnessOptions> = {}): Promise<Harness> {
  const harness = await openHarness({ targets: [targetOf()], ...options });
  const pod = { volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }] };
  const { body } = workloadOf('StatefulSet', 'shop', { name: 'db', pod });
  const owner = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'Prometheus',
    name: 'main',
    uid: 'u',
    controller: true,
  };
  harness.lab.create({
    ...body,
    metadata: { ...body.metadata, namespace: 'shop', ownerReferences: [owner] },
  });
  await harness.admin.get(apps('StatefulSet', 'db'));
  harness.lab.operate('statefulsets', 'shop', 'db', keeps);
  harness.clock.pass(3_600_000);
  return harness;
}

/** A pass that has forgotten how far the target was. */
async function deployAnew(harness: Harness) {
  harness.clock.pass(3_600_000);
  await harness.store.record('shop', { deployed: null });
  return only(await harness.deploy());
}

/** The present, in the whole seconds of Kubernetes. */
const secondOf = (harness: Harness) => Math.floor(harness.clock.now().getTime() / 1000) * 1000;

/** When the pods of `db` started. */
const startsOf = (harness: Harness) =>
  harness.lab.owned('pods').map(({ metadata }) => Date.parse(String(metadata.creationTimestamp)));

test('one that keeps restartedAt has its pods replaced once a version, and not in each pass', async () => {
  const harness = await openOperated(keepsKubectl);
  const begun = secondOf(harness);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', restarted: ['StatefulSet db'] });
  expect(
    readWorkload(harness, 'StatefulSet', 'db').template.metadata.annotations,
    'when it was stored',
  ).toEqual({ [restartedAt]: '2026-11-22T10:00:00Z' });
  expect(Math.min(...startsOf(harness))).toBeGreaterThanOrEqual(begun);
  expect(await deployAnew(harness)).toMatchObject({ outcome: 'unchanged' });
  expect(await deployAnew(harness)).toMatchObject({ outcome: 'unchanged' });
  expect(patchesOf(harness)).toEqual(['db']);
  harness.clock.pass(60_000);
  const renewed = secondOf(harness);
  await harness.issue('shop', 'version-2');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', restarted: ['StatefulSet db'] });
  expect(Math.min(...startsOf(harness))).toBeGreaterThanOrEqual(renewed);
});

test('one that keeps nothing is named, and not fought: once a version, and pending until its pods are new', async () => {
  const harness = await openOperated(keepsNone);
  const message =
    /StatefulSet db was restarted, and its owner Prometheus main put its pod template back, .*: restart it through its owner, or run kubectl rollout restart/;
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    restarted: [],
    message: expect.stringMatching(message),
  });
  expect(report.failures.size).toBe(0);
  for (const deploy of [() => deployAnew(harness), async () => only(await harness.deploy())]) {
    expect(await deploy()).toMatchObject({ outcome: 'pending', message: expect.stringMatching(message) });
  }
  expect(patchesOf(harness)).toEqual(['db']);
  harness.clock.pass(60_000);
  for (const name of ['db-0', 'db-1']) {
    await harness.admin.remove(`/api/v1/namespaces/shop/pods/${name}`);
    await harness.admin.get(apps('StatefulSet', 'db'));
    harness.clock.pass(60_000);
  }
  expect(only(await harness.deploy()), 'a person has replaced them').toMatchObject({ outcome: 'unchanged' });
  await harness.issue('shop', 'version-2');
  expect(only(await harness.deploy()).message).toMatch(message);
  expect(patchesOf(harness)).toEqual(['db', 'db']);
});

test('one that takes away the annotations of the workload, too, and keeps restartedAt is not restarted in each pass', async () => {
  const harness = await openOperated((name) => name.startsWith('kubectl.kubernetes.io/'));
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(readWorkload(harness, 'StatefulSet', 'db').own).toEqual({});
  expect(await deployAnew(harness)).toMatchObject({ outcome: 'unchanged' });
  expect(patchesOf(harness)).toEqual(['db']);
});

test('a canary whose operator puts its template back lets no other workload restart', async () => {
  const canary = { kind: 'StatefulSet', name: 'db' } as const;
  const rollout = { canary, waves: 1, deadlineMs: 600_000, probe: false, windows: [] };
  const harness = await openOperated(keepsNone, { targets: [targetOf({ rollout })] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  for (let pass = 0; pass < 2; pass += 1) {
    expect(only(await harness.deploy())).toMatchObject({ outcome: 'pending', restarted: [] });
    harness.clock.pass(3_600_000);
  }
  expect(patchesOf(harness)).toEqual(['db']);
  expect(harness.store.kept.get('shop')?.state.freeze).toBeUndefined();
});

test('a restart by a person before the Secret had the version is not taken for one with it', async () => {
  const harness = await openOperated(keepsKubectl);
  await harness.admin.patch(
    apps('StatefulSet', 'db'),
    template({ [restartedAt]: harness.clock.now().toISOString() }),
  );
  harness.clock.pass(60_000);
  const before = startsOf(harness);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'pending' });
  expect(patchesOf(harness), 'it is tried').toEqual(['db']);
  expect(startsOf(harness), 'the operator has not let it').toEqual(before);
  expect(await deployAnew(harness)).toMatchObject({ outcome: 'pending' });
  await harness.admin.patch(
    apps('StatefulSet', 'db'),
    template({ [restartedAt]: harness.clock.now().toISOString() }),
  );
  harness.clock.pass(60_000);
  expect(await deployAnew(harness), 'a person has, since then').toMatchObject({ outcome: 'unchanged' });
  expect(patchesOf(harness)).toEqual(['db']);
});

test('a template put back after the run that marked it has ended is found by the next', async () => {
  const time = new AbortController();
  const harness = await openHarness({
    targets: [targetOf()],
    wrap: (cluster) => ({
      ...cluster,
      restartWorkload: async (...call) => {
        const workload = await cluster.restartWorkload(...call);
        time.abort(new Error('time is up'));
        return workload;
      },
    }),
    areReady: (_, annotations) => !Object.hasOwn(annotations, mark),
  });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  await harness.admin.get(apps('Deployment', 'web'));
  harness.clock.pass(60_000);
  await harness.deploy({}, time.signal);
  let polls = 0;
  const sleep = harness.clock.sleep.bind(harness.clock);
  harness.clock.sleep = async (...call) => {
    polls += 1;
    // "kubectl rollout undo", while the next run waits for the pods.
    if (polls === 2)
      await harness.admin.patch(apps('Deployment', 'web'), template({ [mark]: null, [restartedAt]: null }));
    return sleep(...call);
  };
  expect(only(await harness.deploy())).toMatchObject({
    outcome: 'pending',
    message: expect.stringMatching(/Deployment web was restarted, and somebody put its pod template back/),
  });
  expect(patchesOf(harness)).toEqual(['web']);
});

test('two certificates of one second do not vouch for each other', async () => {
  let isDead = false;
  const harness = await openOperated(keepsKubectl, {
    targets: [targetOf({ restart: [{ kind: 'StatefulSet', name: 'db' }] })],
    wrap: (cluster) => ({
      ...cluster,
      applySecret: async (...call) => {
        if (isDead && call[0].name === 'api-tls') throw new ClusterError('Unavailable', 'try again');
        return cluster.applySecret(...call);
      },
    }),
  });
  const api = targetOf({ secret: 'api-tls', restart: [{ kind: 'StatefulSet', name: 'db' }] });
  await harness.issue('shop', 'version-2');
  await harness.issue('api', 'version-1', [api]);
  isDead = true;
  await harness.deploy();
  expect(patchesOf(harness)).toEqual(['db']);
  isDead = false;
  harness.clock.pass(3_600_000);
  await harness.deploy();
  expect(patchesOf(harness), 'its pods have the other certificate only').toEqual(['db', 'db']);
});

test('two certificates of different times, restarted together, have both been, in later passes as well', async () => {
  const listed = [{ kind: 'StatefulSet', name: 'db' }] as const;
  const harness = await openOperated(keepsKubectl, { targets: [targetOf({ restart: listed })] });
  await harness.issue('api', 'version-1', [targetOf({ secret: 'api-tls', restart: listed })]);
  harness.clock.pass(60_000);
  for (let pass = 0; pass < 3; pass += 1) {
    const outcomes = targetsOf(await harness.deploy()).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(Array(2).fill(pass === 0 ? 'delivered' : 'unchanged'));
    harness.clock.pass(3_600_000);
    for (const name of ['shop', 'api']) await harness.store.record(name, { deployed: null });
  }
  expect(patchesOf(harness)).toEqual(['db']);
});

test.for([
  ['annotation', { [mark]: 'FINGERPRINT' }],
  ['env', {}],
] as const)('a template that the version before this one has marked (%s) is left as it is', async ([
  restartStrategy,
  marks,
]) => {
  const harness = await openHarness({ targets: [targetOf({ restartStrategy, restart: 'none' })] });
  await harness.deploy();
  const fingerprint = harness.secret()?.metadata.annotations?.['certrelay.dev/fingerprint'] ?? '';
  harness.targets([targetOf({ restartStrategy })]);
  const env = [{ name: 'LETSENCRYPT_CERT_REFRESH', value: fingerprint }];
  const container = {
    name: 'main',
    image: 'registry.invalid/main:1',
    ...(restartStrategy === 'env' ? { env } : {}),
  };
  const volumes = [{ name: 'tls', secret: { secretName: 'shop-tls' } }];
  const { body } = workloadOf('Deployment', 'shop', { pod: { volumes, containers: [container] } });
  const annotations = Object.fromEntries(Object.keys(marks).map((key) => [key, fingerprint]));
  harness.lab.create({
    ...body,
    metadata: {
      name: 'web',
      namespace: 'shop',
      annotations: { 'certrelay.dev/rollout-since': '2026-11-01T00:00:00Z' },
    },
    spec: {
      ...body.spec,
      template: { ...body.spec.template, metadata: { ...body.spec.template.metadata, annotations } },
    },
  });
  await harness.admin.get(apps('Deployment', 'web'));
  harness.clock.pass(60_000);
  expect(await deployAnew(harness)).toMatchObject({ outcome: 'unchanged' });
  expect(patchesOf(harness)).toEqual([]);
});
