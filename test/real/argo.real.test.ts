// Rollouts of Argo on a real control plane: who may restart them, and that their pods are new afterwards.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { argoRolloutOf, createDefined } from '../contracts/kubernetes-kinds.ts';
import { bindingOf, only } from '../deploy/harness.ts';
import { targetOf } from '../minting/targets.ts';
import { argoDefinitionWithStatus, runArgo } from './argo-controller.ts';
import { type DeliveryHarness, openDeliveryHarness, rbacPath } from './delivery-harness.ts';
import { kubernetesParts, missing } from './parts/locate.ts';

const absent = missing(kubernetesParts);
const path = '/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts';
const advice = /Rollout web uses it too: Argo Rollouts rolls it; run "kubectl argo rollouts restart" for it/;
const podList = z.array(
  z.object({ metadata: z.object({ uid: z.string(), deletionTimestamp: z.string().optional() }) }),
);

if (absent.length > 0) {
  test.todo(`Rollouts of Argo in a real cluster: run test/real/install ${absent.join(' ')}`);
} else {
  describe('Rollouts of Argo in a real cluster, as a user bound to nothing but infra/rbac.yaml', () => {
    let harness: DeliveryHarness;
    let stop: (() => Promise<void>) | undefined;

    beforeAll(async () => {
      harness = await openDeliveryHarness();
    }, 60_000);
    afterAll(async () => {
      await stop?.();
      await harness.close();
    });

    const read = () => harness.admin.get(`${path}/web`);
    const countAvailable = async () =>
      z.object({ availableReplicas: z.number() }).safeParse((await read()).status).data?.availableReplicas;
    const listPods = async () => {
      const { items } = await harness.admin.get('/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb');
      const living = podList.parse(items).filter(({ metadata }) => !metadata.deletionTimestamp);
      return living.map(({ metadata }) => metadata.uid);
    };
    const deploy = () => harness.deploy(targetOf());

    test('without the role one is named, and not touched', async () => {
      const body = argoRolloutOf('shop', 'web', 'shop-tls');
      const rollout = { ...body, spec: { ...body.spec, replicas: 2 } };
      await createDefined(harness.admin, [argoDefinitionWithStatus], [[path, rollout]]);
      stop = await runArgo(harness.admin, 'web');
      await expect.poll(countAvailable).toBe(2);
      const [pods, { metadata }] = [await listPods(), await read()];
      await harness.issue('version-1');
      const report = await deploy();
      expect(report.failures.size).toBe(0);
      expect(only(report)).toMatchObject({ outcome: 'delivered', restarted: [] });
      expect(only(report).message).toMatch(advice);
      expect(await listPods()).toEqual(pods);
      expect((await read()).metadata.annotations).toEqual(metadata.annotations);
    });

    test('with it each version restarts it once, and is delivered when all pods are new', async () => {
      await harness.admin.create(
        `${rbacPath}/namespaces/shop/rolebindings`,
        bindingOf('shop', 'certrelay-rollouts'),
      );
      const pods = await listPods();
      await harness.issue('version-2');
      const report = await deploy();
      expect(report.failures.size).toBe(0);
      expect(only(report)).toMatchObject({ outcome: 'delivered', restarted: ['Rollout web'] });
      const renewed = await listPods();
      expect(renewed).toHaveLength(2);
      expect(renewed.filter((uid) => pods.includes(uid))).toEqual([]);
      expect(await countAvailable()).toBe(2);
      await harness.store.record('shop', { deployed: null });
      expect(only(await deploy())).toMatchObject({ outcome: 'unchanged', restarted: [] });
      expect(await listPods()).toEqual(renewed);
    });
  });
}
