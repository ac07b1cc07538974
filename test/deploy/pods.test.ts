// What pods show that counts do not: that a person has replaced them, or that one keeps the version that
// failed.
import { expect, test } from 'vitest';
import * as z from 'zod';
import type { RunningPod } from '../../lib/policy/kubernetes/pods.ts';
import type { Cluster } from '../../lib/ports/cluster.ts';
import { targetOf } from '../minting/targets.ts';
import { only, openHarness } from './harness.ts';

const mark = 'certrelay.dev/fingerprint-shop-tls';
const restartedAt = 'kubectl.kubernetes.io/restartedAt';
const annotated = z.object({
  spec: z.object({
    template: z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()) }) }),
  }),
});
const template = (annotations: object) => ({ spec: { template: { metadata: { annotations } } } });

/** Gives the cluster pods, as they are at each call. */
const withPods = (pods: () => readonly RunningPod[]) => (cluster: Cluster) => ({
  ...cluster,
  listPods: async () => pods(),
});
const podOf = (kind: string, name: string, more: Partial<RunningPod>): RunningPod => ({
  name: `${name}-0`,
  owner: { group: 'apps', kind, name },
  isReady: true,
  isScheduled: true,
  starts: [],
  ...more,
});

test('pods of a workload that changes only by hand have the certificate once all have started since', async () => {
  let starts: readonly Date[] = [];
  const pods = () => [
    podOf('StatefulSet', 'db', { starts }),
    podOf('StatefulSet', 'other', { starts: [new Date(0)] }),
  ];
  const harness = await openHarness({ targets: [targetOf()], wrap: withPods(pods) });
  harness.addWorkload('StatefulSet', 'db', 'shop-tls');
  await harness.admin.patch('/apis/apps/v1/namespaces/shop/statefulsets/db', {
    spec: { updateStrategy: { type: 'OnDelete' } },
  });
  starts = [harness.clock.now()];
  harness.clock.pass(3_600_000);
  const waiting = only(await harness.deploy());
  expect(waiting).toMatchObject({ outcome: 'pending', restarted: [] });
  expect(waiting.message).toMatch(/StatefulSet db needs a person: .*OnDelete: delete its pods one by one/);
  expect(only(await harness.deploy()), 'its pods are older').toMatchObject({ outcome: 'pending' });
  harness.clock.pass(60_000);
  starts = [harness.clock.now()];
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(harness.store.kept.get('shop')?.state.deployed?.phases).toEqual(['rolled-out']);
});

test('a template that somebody puts back is not restarted in each pass; its pods may have the certificate', async () => {
  let starts: readonly Date[] = [];
  const pods = () => [podOf('ReplicaSet', 'web-abc', { revision: 'abc', starts })];
  let isReady = false;
  const harness = await openHarness({
    targets: [targetOf()],
    wrap: withPods(pods),
    areReady: (_, annotations) => isReady || !Object.hasOwn(annotations, mark),
  });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  harness.clock.pass(60_000);
  starts = [harness.clock.now()];
  harness.clock.pass(60_000);
  await harness.deploy();
  const path = '/apis/apps/v1/namespaces/shop/deployments/web';
  await harness.admin.patch(path, template({ [mark]: null, [restartedAt]: null }));
  isReady = true;
  harness.clock.pass(60_000);
  harness.calls();
  const undone = only(await harness.deploy());
  expect(undone).toMatchObject({ outcome: 'pending', restarted: [] });
  expect(undone.message).toMatch(/Deployment web was restarted, and somebody put its pod template back/);
  expect(harness.calls()).not.toContain('patch deployments');
  starts = [harness.clock.now()];
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
});

test('on the way back a pod that a StatefulSet does not replace is named, with the command', async () => {
  const pods = () => [
    podOf('StatefulSet', 'db', { name: 'db-0', revision: 'good' }),
    podOf('StatefulSet', 'db', { name: 'db-1', revision: 'bad', isReady: false }),
  ];
  let good: string | undefined;
  let isStuck = false;
  const rollout = { waves: 1, deadlineMs: 600_000, probe: false, windows: [] };
  const harness = await openHarness({
    targets: [targetOf({ rollout })],
    wrap: (cluster) => ({
      ...withPods(pods)(cluster),
      listWorkloads: async (...call) => {
        const workloads = await cluster.listWorkloads(...call);
        return workloads.map((workload) => ({ ...workload, updateRevision: 'good' }));
      },
    }),
    areReady: (_, annotations) => {
      isStuck ||= good !== undefined && annotations[mark] !== good;
      return !isStuck;
    },
  });
  harness.addWorkload('StatefulSet', 'db', 'shop-tls');
  harness.clock.pass(60_000);
  await harness.deploy();
  good = annotated.parse(harness.lab.find('statefulsets', 'shop', 'db')).spec.template.metadata.annotations[
    mark
  ];
  await harness.issue('shop', 'version-2');
  const report = only(await harness.deploy());
  expect(report.outcome).toBe('held');
  expect(report.message).toMatch(
    /pod db-1 keeps the version that failed.*run kubectl delete pod db-1 -n shop/,
  );
  const started = harness.clock.now().getTime();
  expect(only(await harness.deploy()).message).toMatch(/kubectl delete pod db-1/);
  expect(
    harness.clock.now().getTime() - started,
    'what is known is not awaited for minutes in each pass',
  ).toBeLessThan(60_000);
});
