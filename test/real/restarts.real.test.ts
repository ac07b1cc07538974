// Restarts on a real control plane where people, operators or nodes stand in the way, and the way back.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import type { SecretTarget } from '../../lib/certificate/spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { codesOf, only } from '../deploy/harness.ts';
import { targetOf } from '../minting/targets.ts';
import { type DeliveryHarness, openDeliveryHarness } from './delivery-harness.ts';
import { kubernetesParts, missing } from './parts/locate.ts';
import { letPodsIn, refusePods } from './refuse-pods.ts';

const absent = missing(kubernetesParts);
const mark = 'certrelay.dev/fingerprint-shop-tls';
const restartedAt = 'kubectl.kubernetes.io/restartedAt';
const rollout = { waves: 1, deadlineMs: 600_000, probe: false, windows: [] };
type Kind = 'Deployment' | 'StatefulSet' | 'DaemonSet';
const pathOf = (kind: Kind, name: string) => `/apis/apps/v1/namespaces/shop/${kind.toLowerCase()}s/${name}`;

const strings = z.record(z.string(), z.string()).default({});
const templated = z.object({
  metadata: z.object({ generation: z.number() }),
  spec: z.object({ template: z.object({ metadata: z.object({ annotations: strings }) }) }),
  status: z.object({
    observedGeneration: z.number().default(0),
    readyReplicas: z.number().default(0),
    numberReady: z.number().default(0),
    desiredNumberScheduled: z.number().default(0),
  }),
});
const list = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        annotations: strings,
        ownerReferences: z.array(z.object({ name: z.string() })).default([]),
      }),
    }),
  ),
});

if (absent.length > 0) {
  test.todo(`restarts on a real cluster: run test/real/install ${absent.join(' ')}`);
} else {
  describe('restarts on a real cluster', () => {
    let harness: DeliveryHarness;

    beforeAll(async () => {
      harness = await openDeliveryHarness();
    }, 60_000);
    afterAll(() => harness.close());

    const read = async (kind: Kind, name: string) =>
      templated.parse(await harness.admin.get(pathOf(kind, name)));
    const annotationsOf = async (kind: Kind, name: string) =>
      (await read(kind, name)).spec.template.metadata.annotations;
    const listOf = async (path: string) => list.parse(await harness.admin.get(path)).items;
    const ownedBy = async (path: string, name: string) =>
      (await listOf(path)).filter(({ metadata }) => metadata.ownerReferences[0]?.name === name);
    const targetFor = (...workloads: readonly (readonly [Kind, string])[]): SecretTarget =>
      targetOf({ restart: workloads.map(([kind, name]) => ({ kind, name })) });
    /** Makes a workload of two pods that are ready. */
    async function start(kind: Kind, name: string, spec: object = {}, pods = 2) {
      await harness.addWorkload(kind, name, {}, spec);
      const ready = async () => {
        const { status } = await read(kind, name);
        return kind === 'DaemonSet' ? status.numberReady : status.readyReplicas;
      };
      await expect.poll(ready).toBe(pods);
    }
    const forget = () => harness.store.record('shop', { deployed: null });
    const freezeOf = () => harness.store.kept.get('shop')?.state.freeze;

    test('a paused Deployment, OnDelete and a partition wait for a person, each with what to do', async () => {
      await harness.issue('version-1');
      const target = targetFor(['Deployment', 'paused'], ['StatefulSet', 'by-hand'], ['StatefulSet', 'part']);
      await start('Deployment', 'paused');
      await harness.admin.patch(pathOf('Deployment', 'paused'), { spec: { paused: true } });
      await start('StatefulSet', 'by-hand', { updateStrategy: { type: 'OnDelete' } });
      await start('StatefulSet', 'part', {
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
      });
      const report = only(await harness.deploy(target));
      expect(report).toMatchObject({ outcome: 'pending', restarted: [] });
      expect(report.message).toMatch(/Deployment paused needs a person: 0 of 2 pods are new; .*resume it/);
      expect(report.message).toMatch(
        /StatefulSet by-hand needs a person: 0 of 2 pods are new; .*delete its pods/,
      );
      expect(report.message).toMatch(/StatefulSet part needs a person: pod part-0 is below the partition/);
      for (const pod of ['by-hand-0', 'by-hand-1']) {
        await harness.admin.remove(`/api/v1/namespaces/shop/pods/${pod}`);
      }
      await harness.admin.patch(pathOf('Deployment', 'paused'), { spec: { paused: false } });
      const rolling = { updateStrategy: { rollingUpdate: { partition: 0 } } };
      await harness.admin.patch(pathOf('StatefulSet', 'part'), { spec: rolling });
      await expect.poll(async () => only(await harness.deploy(target)).outcome).toBe('unchanged');
      expect(harness.store.kept.get('shop')?.state.deployed?.phases).toEqual(['rolled-out']);
    });

    test.for([
      ['keeps restartedAt', true],
      ['keeps nothing', false],
    ] as const)('an operator that puts its template back and %s', async ([, keeps]) => {
      const name = keeps ? 'kept' : 'fought';
      await start('StatefulSet', name);
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'main', controller: true };
      await harness.admin.create('/api/v1/namespaces/shop/configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `${name}-owner` },
      });
      const { metadata } = await harness.admin.get(`/api/v1/namespaces/shop/configmaps/${name}-owner`);
      const ownerReferences = [{ ...owner, name: `${name}-owner`, uid: metadata.uid }];
      await harness.admin.patch(pathOf('StatefulSet', name), { metadata: { ownerReferences } });
      onTestFinished(operate(name, keeps));
      // Kubernetes counts in whole seconds: its pods are to be older than what follows.
      const second = Math.floor(Date.now() / 1000);
      await expect.poll(() => Math.floor(Date.now() / 1000)).toBeGreaterThan(second);
      const target = targetFor(['StatefulSet', name]);
      await harness.issue(`version-${name}`);
      const begun = Math.floor(Date.now() / 1000) * 1000;
      const first = only(await harness.deploy(target));
      if (keeps) {
        expect(first).toMatchObject({ outcome: 'delivered', restarted: [`StatefulSet ${name}`] });
        expect(Object.keys(await annotationsOf('StatefulSet', name))).toEqual([restartedAt]);
        const starts = await startsOf(name);
        expect(Math.min(...starts)).toBeGreaterThanOrEqual(begun);
      } else {
        expect(first).toMatchObject({ outcome: 'pending', restarted: [] });
        expect(first.message).toMatch(/its owner ConfigMap fought-owner put its pod template back/);
      }
      const { generation } = (await read('StatefulSet', name)).metadata;
      await forget();
      expect(only(await harness.deploy(target))).toMatchObject({
        outcome: keeps ? 'unchanged' : 'pending',
        restarted: [],
      });
      expect((await read('StatefulSet', name)).metadata.generation, 'it is not restarted again').toBe(
        generation,
      );
    });

    test('a node that was full before neither holds a DaemonSet up nor takes the version back', async () => {
      await harness.addNode('full', { pods: '0' });
      await start(
        'DaemonSet',
        'agent',
        {
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } },
        },
        1,
      );
      await expect.poll(async () => (await read('DaemonSet', 'agent')).status.desiredNumberScheduled).toBe(2);
      await harness.issue('version-node');
      const target = { ...targetFor(['DaemonSet', 'agent']), rollout };
      const report = only(await harness.deploy(target, {}, { timeMs: 120_000 }));
      expect(report).toMatchObject({ outcome: 'delivered', restarted: ['DaemonSet agent'] });
      expect(report.message).toMatch(/is as before its restart: 1 of 2 replicas are available/);
      // With one pod missing already, none may be missing beside it.
      const strategy = { updateStrategy: { rollingUpdate: { maxUnavailable: 1 } } };
      await harness.admin.patch(pathOf('DaemonSet', 'agent'), { spec: strategy });
      await harness.issue('version-node-2');
      const stopped = only(await harness.deploy({ ...target, rollout: { ...rollout, deadlineMs: 5_000 } }));
      expect(stopped).toMatchObject({ outcome: 'pending' });
      expect(stopped.message).toMatch(/1 of 2 replicas are new.*was not well before its restart either/);
      expect(freezeOf()).toBeUndefined();
      await harness.removeNode('full');
    });

    test('a version that fails returns Deployment and StatefulSet to the revisions of before', async () => {
      await start('Deployment', 'web', { progressDeadlineSeconds: 3 });
      await start('StatefulSet', 'db');
      const target = { ...targetFor(['Deployment', 'web'], ['StatefulSet', 'db']), rollout };
      await harness.issue('version-good');
      expect(only(await harness.deploy(target)).outcome).toBe('delivered');
      const before = [await annotationsOf('Deployment', 'web'), await annotationsOf('StatefulSet', 'db')];
      expect(before[0]).toHaveProperty([restartedAt]);
      const count = async () => [
        (await ownedBy('/apis/apps/v1/namespaces/shop/replicasets', 'web')).length,
        (await ownedBy('/apis/apps/v1/namespaces/shop/controllerrevisions', 'db')).length,
      ];
      const [sets = 0, revisions = 0] = await count();
      const { chain } = await harness.issue('version-bad');
      const { fingerprint } = readCertificate(chain);
      await refusePods(harness.admin, { mark, fingerprint, app: 'web' });
      const report = await harness.deploy(target);
      expect(codesOf(report)).toEqual(['RolloutFailed']);
      expect(only(report).outcome).toBe('held');
      expect(only(report).message, 'the rollout back is not taken for the one that failed').not.toMatch(
        /put back.*does not roll out/,
      );
      expect([await annotationsOf('Deployment', 'web'), await annotationsOf('StatefulSet', 'db')]).toEqual(
        before,
      );
      expect(await count(), 'one each for the version that failed').toEqual([sets + 1, revisions + 1]);
      await expect
        .poll(async () => [await marksOf('web'), await marksOf('db')])
        .toEqual([Array(2).fill(before[0]?.[mark]), Array(2).fill(before[0]?.[mark])]);
      await letPodsIn(harness.admin);
    });

    const podsOf = async (name: string) =>
      (await listOf(`/api/v1/namespaces/shop/pods?labelSelector=app%3D${name}`)).map(
        ({ metadata }) => metadata,
      );
    const marksOf = async (name: string) => (await podsOf(name)).map(({ annotations }) => annotations[mark]);
    const startsOf = async (name: string) => {
      const pods = await podsOf(name);
      const read = pods.map(({ name: pod }) => harness.admin.get(`/api/v1/namespaces/shop/pods/${pod}`));
      return (await Promise.all(read)).map(({ metadata }) => Date.parse(String(metadata.creationTimestamp)));
    };

    /** Puts the template of a StatefulSet back whenever it changes, as an operator would. */
    function operate(name: string, keeps: boolean): () => Promise<void> {
      let isOver = false;
      const work = async () => {
        while (!isOver) {
          const found = Object.keys(await annotationsOf('StatefulSet', name));
          const unwanted = found.filter((key) => !(keeps && key.startsWith('kubectl.kubernetes.io/')));
          if (unwanted.length > 0) {
            const annotations = Object.fromEntries(unwanted.map((key) => [key, null]));
            await harness.admin.patch(pathOf('StatefulSet', name), {
              spec: { template: { metadata: { annotations } } },
            });
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const working = work();
      return async () => {
        isOver = true;
        await working;
      };
    }
  });
}
