// What was bad before a delivery is not the certificate's doing, what became worse is; and the way back ends
// at the templates of before.
import { expect, test } from 'vitest';
import type { RolloutSpec } from '../../lib/certificate/rollout-spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { targetOf } from '../minting/targets.ts';
import type { KeepsAnnotation } from '../sandbox/kubernetes/operators.ts';
import { codesOf, type Harness, only, openHarness, targetsOf } from './harness.ts';
import { apps, countRevisions, patchesOf, podsOf, readWorkload } from './workloads.ts';

const mark = 'certrelay.dev/fingerprint-shop-tls';
const restartedAt = 'kubectl.kubernetes.io/restartedAt';
const rollout: RolloutSpec = { waves: 1, deadlineMs: 600_000, probe: false, windows: [] };
const nodes = [{ name: 'node-1' }, { name: 'node-2' }, { name: 'node-3', isFull: true }];
const pod = { volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }] };

async function create(
  harness: Harness,
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
  spec: object,
  name = 'web',
) {
  const { body } = workloadOf(kind, 'shop', { name, pod, spec });
  harness.lab.create({ ...body, metadata: { ...body.metadata, namespace: 'shop' } });
  await harness.admin.get(apps(kind, name));
  harness.clock.pass(60_000);
}

const freezeOf = (harness: Harness) => harness.store.kept.get('shop')?.state.freeze;
const atMost = (maxUnavailable: number) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable } },
});
const allReady = (harness: Harness, count: number) => {
  const { fingerprint } = {
    fingerprint: harness.secret()?.metadata.annotations?.['certrelay.dev/fingerprint'],
  };
  return expect(podsOf(harness, 'web').map(({ marks }) => marks['shop-tls'])).toEqual(
    Array(count).fill(fingerprint),
  );
};

test.for([
  ['in steps', { rollout }],
  ['in one go', {}],
] as const)('a DaemonSet with a node that is full is delivered %s where it may lack one more pod', async ([
  ,
  more,
]) => {
  const harness = await openHarness({ targets: [targetOf(more)], nodes });
  await create(harness, 'DaemonSet', atMost(2));
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'delivered',
    message: expect.stringMatching(/DaemonSet web is as before its restart: 2 of 3 replicas are available/),
  });
  expect(report.failures.size).toBe(0);
  allReady(harness, 3);
});

test('a DaemonSet that stops at a full node is pending and taken back never; other targets go on', async () => {
  const targets = [targetOf({ rollout }), targetOf({ secret: 'other', rollout })];
  const harness = await openHarness({ targets, nodes });
  await create(harness, 'DaemonSet', atMost(1));
  for (let pass = 0; pass < 2; pass += 1) {
    const report = await harness.deploy();
    expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual([
      'pending',
      pass === 0 ? 'delivered' : 'unchanged',
    ]);
    expect(targetsOf(report)[0]?.message).toMatch(
      /1 of 3 replicas are new; it was not well before its restart either/,
    );
    expect(freezeOf(harness)).toBeUndefined();
    harness.clock.pass(3_600_000);
  }
  expect(patchesOf(harness)).toEqual(['web']);
});

test('a DaemonSet of which more pods are missing than before takes the version back', async () => {
  let isBad = false;
  const harness = await openHarness({
    targets: [targetOf({ rollout })],
    nodes,
    areReady: (_, annotations) => !isBad || annotations[mark] === good,
  });
  let good: string | undefined;
  await create(harness, 'DaemonSet', atMost(2));
  await harness.deploy();
  good = harness.secret()?.metadata.annotations?.['certrelay.dev/fingerprint'];
  isBad = true;
  await harness.issue('shop', 'version-2');
  const report = await harness.deploy();
  expect(only(report).outcome).toBe('held');
  expect(codesOf(report)).toEqual(['RolloutFailed']);
  allReady(harness, 3);
});

test('a Deployment past its deadline before the delivery fails as before: nothing is taken back', async () => {
  const canary = { kind: 'Deployment', name: 'canary' } as const;
  let isBroken = false;
  const harness = await openHarness({
    targets: [targetOf({ rollout: { ...rollout, canary } }), targetOf({ secret: 'other' })],
    areReady: (name, annotations) => name !== 'web' || !isBroken || annotations.image !== 'new',
  });
  harness.addWorkload('Deployment', 'canary', 'shop-tls');
  await create(harness, 'Deployment', { progressDeadlineSeconds: 60 });
  isBroken = true;
  const image = { spec: { template: { metadata: { annotations: { image: 'new' } } } } };
  await harness.admin.patch(apps('Deployment', 'web'), image);
  await harness.admin.get(apps('Deployment', 'web'));
  harness.clock.pass(120_000);
  await harness.admin.get(apps('Deployment', 'web'));
  const report = await harness.deploy();
  expect(targetsOf(report)).toMatchObject([
    {
      outcome: 'pending',
      restarted: ['Deployment canary', 'Deployment web'],
      message: expect.stringMatching(/Deployment web .*was not well before its restart either/),
    },
    { outcome: 'delivered' },
  ]);
  expect(freezeOf(harness)).toBeUndefined();
  expect(harness.secret()?.metadata.annotations?.['certrelay.dev/version']).toBe('version-1');
  isBroken = false;
  await harness.admin.get(apps('Deployment', 'web'));
  harness.clock.pass(3_600_000);
  expect(targetsOf(await harness.deploy())[0], 'its owner has mended it').toMatchObject({
    outcome: 'unchanged',
  });
});

test('pods that were down for another reason hide no version that new pods fail with', async () => {
  let isBad = false;
  const harness = await openHarness({
    targets: [targetOf({ rollout })],
    areReady: (_, annotations) => !isBad || annotations[mark] === good,
  });
  let good: string | undefined;
  await create(harness, 'Deployment', { replicas: 3, progressDeadlineSeconds: 60 });
  await harness.deploy();
  good = harness.secret()?.metadata.annotations?.['certrelay.dev/fingerprint'];
  harness.clock.pass(60_000);
  // A node is drained: its pod is made anew elsewhere, just as the delivery begins.
  const [drained] = podsOf(harness, 'web');
  await harness.admin.remove(`/api/v1/namespaces/shop/pods/${drained?.name}`);
  isBad = true;
  await harness.issue('shop', 'version-2');
  expect(only(await harness.deploy()).outcome).toBe('held');
  allReady(harness, 3);
});

/** Version 1 is delivered, or (`isFirst`) nothing is; pods do not run with version 2. */
async function openFailing(
  kind: 'Deployment' | 'StatefulSet',
  spec: object,
  { isFirst = false, keeps }: { readonly isFirst?: boolean; readonly keeps?: KeepsAnnotation } = {},
) {
  let bad: string | undefined;
  const harness = await openHarness({
    targets: [targetOf({ rollout: { ...rollout, probe: keeps !== undefined } })],
    areReady: (_, annotations) => bad === undefined || annotations[mark] !== bad,
  });
  await create(harness, kind, { progressDeadlineSeconds: 60, ...spec });
  if (keeps) harness.lab.operate(`${kind.toLowerCase()}s`, 'shop', 'web', keeps);
  if (!isFirst) await harness.deploy();
  harness.clock.pass(3_600_000);
  const before = readWorkload(harness, kind, 'web').template;
  const minted = await harness.issue('shop', 'version-2');
  bad = readCertificate(minted.chain).fingerprint;
  return { ...harness, before };
}

test.for([
  ['a version', 'Deployment', {}, false],
  ['the first delivery', 'Deployment', {}, true],
  ['a version, with every pod stopped first', 'Deployment', { strategy: { type: 'Recreate' } }, false],
  ['a version, pods in any order', 'StatefulSet', { podManagementPolicy: 'Parallel' }, false],
  ['the first delivery, pods in any order', 'StatefulSet', { podManagementPolicy: 'Parallel' }, true],
] as const)('%s of a %s that fails returns to the template and the revision of before', async ([
  ,
  kind,
  spec,
  isFirst,
]) => {
  const harness = await openFailing(kind, spec, { isFirst });
  const revisions = countRevisions(harness, 'web');
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ outcome: 'held', restarted: [`${kind} web`] });
  expect(codesOf(report)).toEqual(['RolloutFailed']);
  expect(readWorkload(harness, kind, 'web').template).toEqual(harness.before);
  if (!isFirst) expect(harness.before.metadata.annotations[restartedAt]).toBe('2026-11-22T10:00:00Z');
  if (kind === 'Deployment') expect(countRevisions(harness, 'web')).toBe(revisions + 1);
  expect(harness.secret()?.metadata.annotations?.['certrelay.dev/version']).toBe('version-1');
  const patches = patchesOf(harness).length;
  harness.clock.pass(3_600_000);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'held', restarted: [] });
  expect(patchesOf(harness), 'it is taken back once').toHaveLength(patches);
});

test('a StatefulSet that keeps its failed pod is named with it until a person deletes the pod', async () => {
  const harness = await openFailing('StatefulSet', {});
  expect(only(await harness.deploy()).message).toMatch(/run kubectl delete pod web-1 -n shop/);
  harness.clock.pass(3_600_000);
  expect(only(await harness.deploy()).message).toMatch(/run kubectl delete pod web-1 -n shop/);
  await harness.admin.remove('/api/v1/namespaces/shop/pods/web-1');
  harness.clock.pass(60_000);
  expect(only(await harness.deploy()).message).not.toMatch(/kubectl delete/);
  allReady(harness, 2);
});

test('a workload whose operator takes the mark away is taken back as well', async () => {
  const harness = await openFailing(
    'Deployment',
    {},
    { keeps: (name, on) => on === 'workload' || name.startsWith('kubectl.kubernetes.io/') },
  );
  const begun = Math.floor(harness.clock.now().getTime() / 1000) * 1000;
  harness.sightings.push(['served'], ['mismatch']);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'held', restarted: ['Deployment web'] });
  expect(readWorkload(harness, 'Deployment', 'web').template).toEqual(harness.before);
  const starts = harness.lab
    .owned('pods')
    .map(({ metadata }) => Date.parse(String(metadata.creationTimestamp)));
  expect(Math.min(...starts), 'after ten minutes with what was wrong').toBeGreaterThanOrEqual(
    begun + 600_000,
  );
});
