// Workloads whose pods change only once a person acts: they are marked and named, and hold up what must wait
// for them.
import { expect, test } from 'vitest';
import type { RolloutSpec } from '../../lib/certificate/rollout-spec.ts';
import { targetOf } from '../minting/targets.ts';
import { type Harness, only, openHarness } from './harness.ts';
import { apps, patchesOf, podsOf } from './workloads.ts';

const rollout: RolloutSpec = {
  canary: { kind: 'StatefulSet', name: 'canary' },
  waves: 1,
  deadlineMs: 600_000,
  probe: false,
  windows: [],
};
const rolling = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: null } };
const onDelete = { updateStrategy: { type: 'OnDelete', rollingUpdate: null } };
const partition = (ordinal: number) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: ordinal } },
});

/** A workload of two pods that run the version before. */
async function start(
  harness: Harness,
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
  name: string,
  spec: object,
) {
  harness.addWorkload(kind, name, 'shop-tls');
  await harness.admin.get(apps(kind, name));
  harness.clock.pass(60_000);
  await harness.admin.patch(apps(kind, name), { spec });
  harness.clock.pass(60_000);
}

test.for([
  [
    'Deployment',
    { paused: true },
    /Deployment web needs a person: 0 of 2 pods are new; it is paused: resume it/,
  ],
  [
    'StatefulSet',
    onDelete,
    /StatefulSet web needs a person: 0 of 2 pods .* OnDelete: delete its pods one by one/,
  ],
  [
    'DaemonSet',
    onDelete,
    /DaemonSet web needs a person: 0 of 1 pods .* OnDelete: delete its pods one by one/,
  ],
  [
    'StatefulSet',
    partition(1),
    /StatefulSet web needs a person: pod web-0 is below the partition .*: lower spec\.updateStrategy/,
  ],
  [
    'StatefulSet',
    partition(5),
    /StatefulSet web needs a person: pods web-0 to web-1 are below the partition/,
  ],
] as const)('a %s with %j is marked and pending, and delivered once a person acts', async ([
  kind,
  spec,
  message,
]) => {
  const harness = await openHarness({ targets: [targetOf()] });
  await start(harness, kind, 'web', spec);
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'pending',
    restarted: [],
    message: expect.stringMatching(message),
  });
  expect(report.failures.size, 'who has decided so is not called').toBe(0);
  expect(patchesOf(harness)).toEqual(['web']);
  harness.clock.pass(3_600_000);
  expect(only(await harness.deploy()).message, 'it is said until then').toMatch(message);
  await harness.admin.patch(apps(kind, 'web'), { spec: kind === 'Deployment' ? { paused: false } : rolling });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(harness.store.kept.get('shop')?.state.deployed?.phases).toEqual(['rolled-out']);
  const fingerprint = harness.secret()?.metadata.annotations?.['certrelay.dev/fingerprint'];
  expect(podsOf(harness, 'web').map(({ marks }) => marks['shop-tls'])).toEqual(
    kind === 'DaemonSet' ? [fingerprint] : [fingerprint, fingerprint],
  );
  expect(patchesOf(harness), 'it was marked once').toEqual(['web']);
});

test('with OnDelete the pods that are not deleted yet are counted, until all are new', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  await start(harness, 'StatefulSet', 'web', onDelete);
  await harness.deploy();
  const deletePod = async (name: string) => {
    harness.clock.pass(60_000);
    await harness.admin.remove(`/api/v1/namespaces/shop/pods/${name}`);
    harness.clock.pass(60_000);
    return only(await harness.deploy());
  };
  expect((await deletePod('web-1')).message).toMatch(/1 of 2 pods are new/);
  expect(await deletePod('web-0')).toMatchObject({ outcome: 'unchanged' });
});

test.for<[string, object, RegExp, object]>([
  ['changes only by hand', onDelete, /StatefulSet canary needs a person: 0 of 2 pods are new/, rolling],
  ['is half below its partition', partition(1), /pod canary-0 is below the partition/, rolling],
  ['has no pods', { replicas: 0 }, /the canary StatefulSet canary has no pods/, { replicas: 2 }],
  [
    'may not be restarted',
    { template: { metadata: { annotations: { 'certrelay.dev/restart': 'false' } } } },
    /the canary StatefulSet canary is not restarted/,
    { template: { metadata: { annotations: { 'certrelay.dev/restart': null } } } },
  ],
  [
    'had no pod that ran',
    { podManagementPolicy: 'Parallel', template: { spec: { nodeSelector: { disk: 'none' } } } },
    /no pod of the canary StatefulSet canary is available/,
    { template: { spec: { nodeSelector: null } } },
  ],
])('a canary that %s lets no other workload restart, until a person acts', async ([
  ,
  spec,
  message,
  mended,
]) => {
  const harness = await openHarness({ targets: [targetOf({ rollout })] });
  await start(harness, 'StatefulSet', 'canary', spec);
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  for (let pass = 0; pass < 3; pass += 1) {
    const report = await harness.deploy();
    expect(only(report)).toMatchObject({ outcome: 'pending', message: expect.stringMatching(message) });
    expect(report.failures.size).toBe(0);
    harness.clock.pass(3_600_000);
  }
  expect(patchesOf(harness)).not.toContain('web');
  expect(harness.store.kept.get('shop')?.state.freeze, 'nothing is taken back').toBeUndefined();
  await harness.admin.patch(apps('StatefulSet', 'canary'), { spec: mended });
  harness.clock.pass(60_000);
  expect(only(await harness.deploy()).outcome).toBe('delivered');
  expect(patchesOf(harness)).toContain('web');
});

test('a step whose workload is paused, without a canary, holds the next one up as well', async () => {
  const harness = await openHarness({
    targets: [targetOf({ rollout: { ...rollout, canary: undefined, waves: 2 } })],
  });
  await start(harness, 'Deployment', 'a', { paused: true });
  harness.addWorkload('Deployment', 'b', 'shop-tls');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'pending', restarted: [] });
  expect(patchesOf(harness)).toEqual(['a']);
  await harness.admin.patch(apps('Deployment', 'a'), { spec: { paused: false } });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', restarted: ['Deployment b'] });
});

test('a step in which no pod was replaced lets no further step begin', async () => {
  const rollout = { waves: 2, deadlineMs: 600_000, probe: false, windows: [] };
  const harness = await openHarness({ targets: [targetOf({ rollout })] });
  harness.addWorkload('Deployment', 'empty', 'shop-tls');
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  await harness.admin.patch('/apis/apps/v1/namespaces/shop/deployments/empty', { spec: { replicas: 0 } });
  const report = only(await harness.deploy());
  expect(report).toMatchObject({ outcome: 'pending', restarted: ['Deployment empty'] });
  expect(report.message).toMatch(/no pod was replaced in the step with Deployment empty.*give them pods/);
  await harness.admin.patch('/apis/apps/v1/namespaces/shop/deployments/empty', { spec: { replicas: 1 } });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', restarted: ['Deployment web'] });
});
