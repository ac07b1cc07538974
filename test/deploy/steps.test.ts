// Delivering in steps: canary, waves, what is served, windows, and going on after a run that was cut off.

import { expect, test } from 'vitest';
import { type RolloutSpec, weekdays } from '../../lib/certificate/rollout-spec.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { tagsOfState } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';
import { codesOf, type Harness, only, openHarness, targetsOf } from './harness.ts';

const rolloutOf = (more: Partial<RolloutSpec> = {}): RolloutSpec => ({
  waves: 1,
  deadlineMs: 600_000,
  probe: false,
  windows: [],
  ...more,
});
const canary = { kind: 'Deployment', name: 'canary' } as const;
const patched = (harness: Harness) =>
  harness.journal.calls
    .filter(({ action }) => action === 'patch deployments')
    .map(({ resource }) => resource.split('/').at(-1));
const addWorkloads = (harness: Harness, ...names: readonly string[]) => {
  for (const name of names) harness.addWorkload('Deployment', name, 'shop-tls');
};

test('the canary is restarted first, then the waves, each once the one before is available', async () => {
  const harness = await openHarness({ targets: [targetOf({ rollout: rolloutOf({ canary, waves: 2 }) })] });
  addWorkloads(harness, 'a', 'b', 'c', 'canary');
  const plan = only(await harness.deploy({ dryRun: true }));
  expect(plan.message).toContain(
    'in 3 steps: Deployment canary, then Deployment a, Deployment b, then Deployment c',
  );
  expect(patched(harness)).toEqual([]);
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'delivered',
    restarted: ['Deployment canary', 'Deployment a', 'Deployment b', 'Deployment c'],
  });
  expect(report.failures.size).toBe(0);
  const order = harness.journal.calls.map(({ action, resource }) =>
    action === 'patch deployments' ? (resource.split('/').at(-1) ?? '') : action,
  );
  const between = order.slice(
    order.indexOf('canary') + 1,
    order.findIndex((one) => one === 'a' || one === 'b'),
  );
  expect(between).toContain('list deployments');
  expect(patched(harness)[0]).toBe('canary');
  expect(new Set(patched(harness).slice(1, 3))).toEqual(new Set(['a', 'b']));
  harness.calls();
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(harness.calls(), 'what is delivered costs no more than without steps').toEqual(['get secrets']);
});

test('a canary that takes no part is named before anything is touched', async () => {
  const harness = await openHarness({ targets: [targetOf({ rollout: rolloutOf({ canary }) })] });
  addWorkloads(harness, 'a');
  const report = await harness.deploy();
  expect(codesOf(report)).toEqual(['NotFound']);
  expect(only(report).message).toMatch(/the canary Deployment canary of lab\/shop\/shop-tls is none of/);
  expect(harness.secret()).toBeUndefined();
});

test('an API server that dies between two waves keeps the version; the next run goes on with the second', async () => {
  let isDead = false;
  const harness = await openHarness({
    targets: [targetOf({ rollout: rolloutOf({ canary }) })],
    wrap: (cluster) => ({
      ...cluster,
      restartWorkload: async (...call) => {
        if (isDead) throw new ClusterError('Unreachable', 'no answer');
        isDead = true;
        return cluster.restartWorkload(...call);
      },
    }),
  });
  addWorkloads(harness, 'a', 'canary');
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ outcome: 'pending', restarted: ['Deployment canary'] });
  expect(codesOf(report)).toEqual(['Unreachable']);
  expect(harness.store.kept.get('shop')?.state.freeze).toBeUndefined();
  expect(tagsOfState(harness.store.kept.get('shop')?.state).deployed).toMatch(/\/a$/);
  isDead = false;
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', restarted: ['Deployment a'] });
  expect(patched(harness)).toEqual(['canary', 'a']);
});

test('a list that fails while a wave rolls out is no harm, and the next wave does not begin before it is known', async () => {
  let isDead = false;
  const harness = await openHarness({
    targets: [targetOf({ rollout: rolloutOf({ canary }) })],
    wrap: (cluster) => ({
      ...cluster,
      restartWorkload: async (...call) => {
        isDead = true;
        return cluster.restartWorkload(...call);
      },
      listWorkloads: async (...call) => {
        const isLost = isDead;
        isDead = false;
        if (isLost) throw new ClusterError('Unreachable', 'no answer');
        return cluster.listWorkloads(...call);
      },
    }),
  });
  addWorkloads(harness, 'a', 'canary');
  expect(codesOf(await harness.deploy())).toEqual(['Unreachable']);
  expect(patched(harness)).toEqual(['canary']);
  expect(harness.store.kept.get('shop')?.state.freeze).toBeUndefined();
});

test('a run that is cut off while a wave rolls out leaves the rest to the next one, which knows the deadline', async () => {
  const time = new AbortController();
  let marked = 0;
  const harness = await openHarness({
    targets: [targetOf({ rollout: rolloutOf({ canary: { kind: 'StatefulSet', name: 'canary' } }) })],
    areReady: (_, annotations) => !Object.hasOwn(annotations, 'certrelay.dev/fingerprint-shop-tls'),
    wrap: (cluster) => ({
      ...cluster,
      restartWorkload: async (...call) => {
        const workload = await cluster.restartWorkload(...call);
        marked += 1;
        if (marked === 1) time.abort(new Error('time is up'));
        return workload;
      },
    }),
  });
  // Unlike a Deployment, it has no deadline of its own.
  harness.addWorkload('StatefulSet', 'canary', 'shop-tls');
  harness.clock.pass(60_000);
  expect(only(await harness.deploy({}, time.signal))).toMatchObject({ outcome: 'pending' });
  harness.clock.pass(9 * 60_000);
  const started = harness.clock.now().getTime();
  expect(codesOf(await harness.deploy())).toEqual(['RolloutFailed']);
  expect(harness.clock.now().getTime() - started, 'the deadline counts from the mark').toBeLessThan(70_000);
});

test('what was delivered long ago is not taken back because pods are down when its targets are changed', async () => {
  let looks = Number.POSITIVE_INFINITY;
  const target = targetOf({ rollout: rolloutOf({ canary }) });
  const harness = await openHarness({
    targets: [target],
    wrap: (cluster) => ({
      ...cluster,
      listWorkloads: async (...call) => {
        looks += 1;
        const workloads = await cluster.listWorkloads(...call);
        const rollout = { state: 'progressing', message: 'a node is drained' } as const;
        return looks > 8 ? workloads : workloads.map((workload) => ({ ...workload, rollout }));
      },
    }),
  });
  addWorkloads(harness, 'a', 'canary');
  await harness.deploy();
  harness.calls();
  harness.clock.pass(30 * 86_400_000);
  harness.targets([target, targetOf({ secret: 'other', restart: 'none' })]);
  looks = 0;
  const report = await harness.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual(['unchanged', 'delivered']);
  expect(harness.store.kept.get('shop')?.state.freeze).toBeUndefined();
  expect(patched(harness)).toEqual([]);
});

test('each step waits until nothing harmful is served; before the last, the certificate before is no harm', async () => {
  const harness = await openHarness({ targets: [targetOf({ rollout: rolloutOf({ canary, probe: true }) })] });
  addWorkloads(harness, 'a', 'canary');
  harness.sightings.push(['served'], ['unreachable', 'stale'], ['stale'], ['stale'], ['stale'], ['served']);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(harness.clock.slept.filter((ms) => ms === 5_000)).toHaveLength(3);
});

test('a target that tells its addresses is looked at there after its steps, and all of them once it has arrived', async () => {
  const addresses = [{ address: '192.0.2.0' }];
  const rollout = rolloutOf({ probe: true });
  const harness = await openHarness({
    targets: [targetOf({ rollout, addresses }), targetOf({ secret: 'two' })],
  });
  addWorkloads(harness, 'a');
  harness.sightings.push(['served']);
  await harness.deploy();
  expect(harness.questions.map(({ probe }) => probe)).toEqual([
    { addresses, targetAddresses: undefined },
    { addresses, targetAddresses: undefined },
    { targetAddresses: addresses },
  ]);
  expect(tagsOfState(harness.store.kept.get('shop')?.state).served).toMatch(/\/served\/[0-9a-f]{8}\/s-$/);
});

test('an address that nobody answered at before is not what keeps a certificate back', async () => {
  const harness = await openHarness({ targets: [targetOf({ rollout: rolloutOf({ probe: true }) })] });
  addWorkloads(harness, 'a');
  harness.sightings.push(['unreachable', 'stale'], ['unreachable', 'served']);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(harness.clock.slept.filter((ms) => ms === 5_000)).toEqual([]);
});

test('an address that served something else before, too, takes no version back; the version before is nothing else', async () => {
  const harness = await openHarness({ targets: [targetOf({ rollout: rolloutOf({ probe: true }) })] });
  addWorkloads(harness, 'a');
  await harness.deploy();
  const { fingerprint, previous } = harness.questions[0] ?? {};
  expect(previous, 'nothing was there').toBeUndefined();
  harness.questions.length = 0;
  await harness.issue('shop', 'version-2');
  harness.sightings.push(['stale', 'served'], ['stale', 'served']);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(harness.clock.slept.filter((ms) => ms === 5_000)).toEqual([]);
  expect(harness.questions.map((question) => question.previous)).toEqual([fingerprint, undefined, undefined]);
});

test('a target waits for its window; the report says until when, and nothing is touched before', async () => {
  const window = { days: ['Sat'], fromMinute: 120, toMinute: 240, timeZone: 'Europe/Berlin' } as const;
  const harness = await openHarness({ targets: [targetOf({ rollout: rolloutOf({ windows: [window] }) })] });
  addWorkloads(harness, 'a');
  expect(only(await harness.deploy()), 'pods wait for a Secret that is missing').toMatchObject({
    outcome: 'delivered',
  });
  await harness.issue('shop', 'version-2');
  harness.calls();
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({
    outcome: 'waiting',
    message: 'waits for its window until 2026-11-28T01:00:00.000Z',
  });
  expect(report.failures.size).toBe(0);
  expect(harness.calls()).toEqual(['get secrets']);
  harness.clock.pass(Date.parse('2026-11-28T01:30:00Z') - harness.clock.now().getTime());
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', restarted: ['Deployment a'] });
});

test('a target does not miss its window because another of the certificate has failed lately', async () => {
  const window = { days: weekdays, fromMinute: 120, toMinute: 240, timeZone: 'UTC' } as const;
  const patient = targetOf({ rollout: rolloutOf({ windows: [window] }) });
  const harness = await openHarness({ targets: [patient] });
  await harness.deploy();
  harness.targets([patient, targetOf({ cluster: 'gone' })]);
  await harness.issue('shop', 'version-2');
  harness.clock.pass(12 * 3_600_000);
  for (let failures = 0; failures < 4; failures += 1) await harness.deploy({ certificates: ['shop'] });
  harness.clock.pass(4.5 * 3_600_000);
  expect(targetsOf(await harness.deploy())).toMatchObject([
    { outcome: 'delivered' },
    { outcome: 'pending', message: expect.stringMatching(/^not delivered after 4 failed attempts/) },
  ]);
});

test('a window is not waited for once what is served has used up three quarters of its rest', async () => {
  const window = { days: ['Sat'], fromMinute: 120, toMinute: 240, timeZone: 'UTC' } as const;
  const harness = await openHarness({ targets: [targetOf({ rollout: rolloutOf({ windows: [window] }) })] });
  await harness.deploy();
  harness.clock.pass(60 * 86_400_000);
  await harness.issue('shop', 'version-2');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'waiting' });
  harness.clock.pass(23 * 86_400_000);
  expect(only(await harness.deploy())).toMatchObject({
    outcome: 'delivered',
    message: expect.stringContaining('it does not wait for its window'),
  });
});
