// Secrets that others change after they were delivered: what started with the wrong value restarts, and a
// fight is told.
import { expect, test } from 'vitest';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { targetOf } from '../minting/targets.ts';
import { codesOf, type Harness, only, openHarness } from './harness.ts';

const path = '/api/v1/namespaces/shop/secrets/shop-tls';
const minute = 60_000;
const hour = 60 * minute;
const wrongSince = 'certrelay.dev/wrong-since';

/** A pod of a Deployment, whose container started at `at`. */
function addPod(harness: Harness, deployment: string, name: string, at: Date) {
  harness.lab.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      labels: { 'pod-template-hash': 'abc' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${deployment}-abc`, uid: 'u', controller: true },
      ],
    },
    spec: { containers: [{ name: 'main', image: 'registry.invalid/main:1' }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'main', state: { running: { startedAt: at.toISOString() } } }],
    },
  });
}

const patched = (harness: Harness) =>
  harness.journal.calls
    .filter(({ action }) => action === 'patch deployments')
    .map(({ resource }) => resource.split('/').at(-1));

async function spoil(harness: Harness) {
  const data = { 'tls.crt': Buffer.from('wrong').toString('base64') };
  await harness.admin.patch(path, { data });
}

const annotationsOf = (harness: Harness) => harness.secret()?.metadata?.annotations ?? {};

async function start(harness: Harness) {
  harness.addWorkload('Deployment', 'early', 'shop-tls');
  harness.addWorkload('Deployment', 'late', 'shop-tls');
  await harness.deploy();
  addPod(harness, 'early', 'early-abc-1', harness.clock.now());
  harness.clock.pass(48 * hour);
}

test('a drifted Secret is put right, and only what started meanwhile restarts, once', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await start(harness);
  await spoil(harness);
  harness.clock.pass(minute);
  addPod(harness, 'late', 'late-abc-1', harness.clock.now());
  harness.clock.pass(minute);
  harness.journal.clear();
  const report = only(await harness.deploy());
  expect(report).toMatchObject({ outcome: 'delivered', restarted: ['Deployment late'] });
  expect(report.message).toMatch(
    /kubectl-test changed tls\.crt of it at 2026-11-24T10:\S+Z, and Certrelay puts that right/,
  );
  expect(report.message).not.toContain('not for the first time');
  expect(patched(harness)).toEqual(['late']);
  expect(annotationsOf(harness)).toHaveProperty([wrongSince]);

  await harness.admin.remove('/api/v1/namespaces/shop/pods/late-abc-1');
  addPod(harness, 'late', 'late-abc-2', harness.clock.now());
  harness.journal.clear();
  expect(only(await harness.deploy())).toMatchObject({ restarted: [] });
  expect(patched(harness), 'its pods are new').toEqual([]);
  expect(annotationsOf(harness), 'whoever changed it may do so again').toHaveProperty([wrongSince]);
  harness.clock.pass(24 * hour);
  expect(only(await harness.deploy())).toMatchObject({ restarted: [] });
  expect(annotationsOf(harness)).not.toHaveProperty([wrongSince]);
  harness.calls();
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(harness.calls(), 'nothing is left to look at').toEqual(['get secrets']);
});

test('an invocation that ends between the Secret and the restart leaves the restart to the next', async () => {
  let isDead = false;
  const harness = await openHarness({
    targets: [targetOf()],
    wrap: (cluster) => ({
      ...cluster,
      restartWorkload: async (...call) => {
        if (isDead) throw new ClusterError('Unreachable', 'no answer');
        return cluster.restartWorkload(...call);
      },
    }),
  });
  await start(harness);
  await spoil(harness);
  addPod(harness, 'late', 'late-abc-1', harness.clock.now());
  harness.clock.pass(minute);
  isDead = true;
  expect(codesOf(await harness.deploy())).toEqual(['Unreachable']);
  isDead = false;
  harness.journal.clear();
  harness.clock.pass(hour);
  await harness.deploy();
  expect(patched(harness)).toEqual(['late']);
});

test('a fight over a Secret is told with the name of whoever fights', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await start(harness);
  await spoil(harness);
  await harness.deploy();
  expect(harness.log.events()).not.toContain('Secret contested');
  harness.clock.pass(hour);
  await spoil(harness);
  const report = await harness.deploy();
  expect(only(report).message).toMatch(/not for the first time: make kubectl-test leave this Secret alone/);
  expect(harness.log.events()).toContain('Secret contested');
});

test('what Certrelay itself writes otherwise restarts nothing', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await start(harness);
  addPod(harness, 'late', 'late-abc-1', harness.clock.now());
  harness.targets([targetOf({ labels: { team: 'shop' } })]);
  harness.journal.clear();
  expect(only(await harness.deploy())).toMatchObject({ restarted: [] });
  expect(patched(harness)).toEqual([]);
});

test('pods that may not be listed are said, and nothing restarts in each pass because of it', async () => {
  const harness = await openHarness({
    targets: [targetOf()],
    wrap: (cluster) => ({
      ...cluster,
      listPods: async () => {
        throw new ClusterError('Forbidden', 'add verb "list" on "pods"');
      },
    }),
  });
  await start(harness);
  await spoil(harness);
  harness.journal.clear();
  expect(only(await harness.deploy()).message).toMatch(/is not known: add verb "list" on "pods"/);
  expect(patched(harness)).toEqual([]);
});

test('a Secret that somebody writes after every pass restarts nothing in each of them', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await start(harness);
  harness.journal.clear();
  for (let pass = 0; pass < 5; pass += 1) {
    await spoil(harness);
    addPod(harness, 'late', `late-abc-${pass}`, harness.clock.now());
    if (pass > 0) addPod(harness, 'early', `early-abc-${pass}0`, harness.clock.now());
    harness.clock.pass(hour);
    await harness.deploy();
  }
  expect(patched(harness), 'the first time only').toEqual(['late']);
});

test('a repair whose rollout takes longer than a pass is not begun again, nor taken back', async () => {
  const rollout = { waves: 1, deadlineMs: 600_000, probe: false, windows: [] };
  let isSlow = false;
  const harness = await openHarness({ targets: [targetOf({ rollout })], areReady: () => !isSlow });
  harness.addWorkload('Deployment', 'late', 'shop-tls');
  harness.clock.pass(minute);
  await harness.deploy();
  await harness.issue('shop', 'version-2');
  await harness.deploy();
  harness.clock.pass(48 * hour);
  await spoil(harness);
  addPod(harness, 'late', 'late-abc-1', harness.clock.now());
  harness.clock.pass(minute);
  harness.journal.clear();
  isSlow = true;
  for (let pass = 0; pass < 3; pass += 1) {
    expect(only(await harness.deploy())).toMatchObject({ outcome: 'pending' });
    harness.clock.pass(hour);
  }
  expect(patched(harness)).toEqual(['late']);
  expect(harness.store.kept.get('shop')?.state.freeze).toBeUndefined();
});

test('a repair waits for the window of its target; the Secret does not', async () => {
  const window = { days: ['Sat'], fromMinute: 120, toMinute: 240, timeZone: 'UTC' } as const;
  const rollout = { waves: 1, deadlineMs: 600_000, probe: false, windows: [window] };
  const harness = await openHarness({ targets: [targetOf({ rollout })] });
  await start(harness);
  await spoil(harness);
  addPod(harness, 'late', 'late-abc-1', harness.clock.now());
  harness.clock.pass(minute);
  harness.journal.clear();
  await harness.deploy();
  expect(harness.secret()?.data['tls.crt']).not.toBe(Buffer.from('wrong').toString('base64'));
  expect(patched(harness)).toEqual([]);
  // Saturday.
  harness.clock.pass(Date.parse('2026-11-28T03:00:00Z') - harness.clock.now().getTime());
  await harness.deploy();
  expect(patched(harness)).toEqual(['late']);
});
