// How deploy works on many targets: none holds up the others, and a first portion is delivered before the
// last is planned.
import { expect, test } from 'vitest';
import { groupByWorkload, splitIntoPortions } from '../../lib/deploy/plan/groups.ts';
import { ClusterError } from '../../lib/ports/cluster.ts';
import { targetOf } from '../minting/targets.ts';
import { only, openHarness, targetsOf } from './harness.ts';

const secrets = Array.from({ length: 30 }, (_, index) => `shop-${String(index).padStart(2, '0')}`);
const delivered = (report: Parameters<typeof targetsOf>[0]) =>
  targetsOf(report).filter(({ outcome }) => outcome === 'delivered').length;

test('a target that cannot be reached keeps back none that was planned', async () => {
  const harness = await openHarness({
    targets: secrets.map((secret) => targetOf({ secret, restart: 'none' })),
    wrap: (cluster) => ({
      ...cluster,
      readSecret: async (namespace, name, signal) => {
        if (name !== 'shop-07') return cluster.readSecret(namespace, name, signal);
        // It times out while the others are answered.
        await Promise.all(secrets.slice(8).map((other) => cluster.readSecret(namespace, other, signal)));
        throw new ClusterError('Unreachable', 'no answer');
      },
    }),
  });
  expect(delivered(await harness.deploy())).toBeGreaterThan(8);
});

test('an invocation that ends while the last portion is planned has delivered the first', async () => {
  const time = new AbortController();
  const many = Array.from({ length: 210 }, (_, index) => `shop-${index}`);
  const harness = await openHarness({
    targets: many.map((secret) => targetOf({ secret, restart: 'none' })),
    wrap: (cluster) => ({
      ...cluster,
      readSecret: async (namespace, name, signal) => {
        if (name === 'shop-205') time.abort(new Error('time is up'));
        return cluster.readSecret(namespace, name, signal);
      },
    }),
  });
  expect(delivered(await harness.deploy({}, time.signal))).toBe(200);
  harness.clock.pass(5 * 60_000);
  expect(delivered(await harness.deploy())).toBe(10);
});

test('a probed target without workloads is watched for its whole deadline at each renewal', async () => {
  const rollout = { waves: 1, deadlineMs: 600_000, probe: true, windows: [] };
  const harness = await openHarness({ targets: [targetOf({ rollout, restart: 'none' })] });
  harness.sightings.push(['served']);
  await harness.deploy();
  harness.clock.pass(60 * 86_400_000);
  await harness.issue('shop', 'version-2');
  harness.sightings.splice(0, 1, ['served'], ['stale'], ['stale'], ['served']);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered' });
  expect(harness.store.kept.get('shop')?.state.freeze).toBeUndefined();
});

test('jobs of one namespace stay side by side, and what shares a workload is one group', () => {
  const jobOf = (namespace: string, secret: string) => ({ target: targetOf({ namespace, secret }) });
  const jobs = Array.from({ length: 150 }, (_, index) => [
    jobOf('a', `s-${index}`),
    jobOf('b', `s-${index}`),
  ]).flat();
  const portions = splitIntoPortions(jobs as never);
  expect(portions.map((portion) => new Set(portion.map(({ target }) => target.namespace)).size)).toEqual([
    1, 1,
  ]);
  const planOf = (secret: string, ...names: readonly string[]) => ({
    job: jobOf('a', secret),
    waves: [names.map((name) => ({ action: 'restart', workload: { kind: 'Deployment', name } }))],
  });
  const plans = [
    planOf('one', 'w'),
    planOf('two', 'x'),
    planOf('three', 'w', 'y'),
    planOf('four', 'y'),
    planOf('five'),
  ];
  const groups = groupByWorkload(plans as never) as unknown as (typeof plans)[];
  expect(groups.map((group) => group.map(({ job }) => job.target.secret))).toEqual([
    ['one', 'three', 'four'],
    ['two'],
    ['five'],
  ]);
});

test('a Secret that somebody creates while others are planned is not overwritten unseen', async () => {
  const newer: string[] = [];
  const harness = await openHarness({
    targets: [targetOf({ restart: 'none' }), targetOf({ secret: 'slow', restart: 'none' })],
    wrap: (cluster) => ({
      ...cluster,
      readSecret: async (namespace, name, signal) => {
        const found = await cluster.readSecret(namespace, name, signal);
        if (name !== 'slow' || newer.length > 0) return found;
        newer.push(name);
        // Another invocation delivers the next version meanwhile, and this answer takes its time.
        harness.clock.pass(60_000);
        await harness.issue('shop', 'version-2');
        await harness.deploy();
        harness.clock.pass(60_000);
        return found;
      },
    }),
  });
  await harness.deploy();
  expect(harness.secret()?.metadata.annotations?.['certrelay.dev/version']).toBe('version-2');
});
