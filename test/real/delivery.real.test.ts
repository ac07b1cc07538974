// The deploy story on a real control plane: its admission, its controllers, and RBAC with infra/rbac.yaml
// alone.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Admin } from '../contracts/kubernetes-admin.ts';
import { argoDefinition, argoRolloutOf, createDefined } from '../contracts/kubernetes-kinds.ts';
import { codesOf, only } from '../deploy/harness.ts';
import { targetOf } from '../minting/targets.ts';
import { type DeliveryHarness, openDeliveryHarness } from './delivery-harness.ts';
import { kubernetesParts, missing } from './parts/locate.ts';

const absent = missing(kubernetesParts);
const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;
const secretPath = '/api/v1/namespaces/shop/secrets/shop-tls';

if (absent.length > 0) {
  test.todo(`deploying to a real cluster: run test/real/install ${absent.join(' ')}`);
} else {
  describe('deploying to a real cluster as a user bound to nothing but infra/rbac.yaml', () => {
    let harness: DeliveryHarness;
    let admin: Admin;

    beforeAll(async () => {
      harness = await openDeliveryHarness();
      ({ admin } = harness);
      for (const kind of kinds) await harness.addWorkload(kind, 'web');
    });
    afterAll(() => harness.close());

    const deploy = () => harness.deploy(targetOf({ format: 'nginx-ssl-proxy' }));

    test('the Secret is made, every user is rolled, and the run ends when their controllers are done', async () => {
      await harness.issue('version-1');
      const report = await deploy();
      expect(only(report)).toMatchObject({
        outcome: 'delivered',
        action: 'create',
        restarted: kinds.map((kind) => `${kind} web`),
      });
      expect(report.failures.size).toBe(0);
      const deployment = await admin.get('/apis/apps/v1/namespaces/shop/deployments/web');
      expect(deployment).toMatchObject({ status: { updatedReplicas: 2, availableReplicas: 2, replicas: 2 } });
    });

    test('delivered twice, no object changes, whether the tag was written or not', async () => {
      const versions = async () => {
        const paths = kinds.map((kind) => `/apis/apps/v1/namespaces/shop/${kind.toLowerCase()}s/web`);
        const objects = await Promise.all([secretPath, ...paths].map((path) => admin.get(path)));
        return objects.map(({ metadata }) => metadata.resourceVersion);
      };
      const before = await versions();
      expect(only(await deploy())).toMatchObject({ outcome: 'unchanged' });
      await harness.store.record('shop', { deployed: null });
      expect(only(await deploy())).toMatchObject({ outcome: 'unchanged' });
      expect(await versions()).toEqual(before);
    });

    test('P09 a Rollout of Argo and the owner of unknown pods are named with what to do, and what was restarted is not', async () => {
      const path = '/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts';
      await createDefined(admin, [argoDefinition], [[path, argoRolloutOf('shop', 'canary', 'shop-tls')]]);
      const { metadata } = await admin.get(`${path}/canary`);
      for (const name of ['events-0', 'events-1']) {
        await admin.create('/api/v1/namespaces/shop/pods', {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            name,
            ownerReferences: [
              { apiVersion: 'strimzi.io/v1', kind: 'Kafka', name: 'events', uid: 'u', controller: true },
            ],
          },
          spec: {
            containers: [{ name: 'main', image: 'registry.invalid/main:1' }],
            volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }],
          },
        });
      }
      await harness.issue('version-2');
      const report = only(await deploy());
      expect(report).toMatchObject({ outcome: 'delivered', restarted: kinds.map((kind) => `${kind} web`) });
      expect(report.message.split('; ').filter((part) => part.includes('uses it too'))).toEqual([
        'Rollout canary uses it too: Argo Rollouts rolls it',
        'Kafka.strimzi.io events uses it too: Certrelay does not restart this kind',
      ]);
      expect((await admin.get(`${path}/canary`)).metadata.resourceVersion).toBe(metadata.resourceVersion);
    });

    test('a renewal keeps htpasswd, and a rollout that the cluster gives up is a failure', async () => {
      await admin.patch(secretPath, { data: { htpasswd: 'eA==' } });
      await harness.addWorkload(
        'Deployment',
        'stuck',
        { nodeSelector: { disk: 'none' } },
        { progressDeadlineSeconds: 2 },
      );
      await harness.issue('version-3');
      const report = await deploy();
      expect(only(report)).toMatchObject({
        outcome: 'pending',
        action: 'apply',
        restarted: ['Deployment stuck', 'Deployment web', 'StatefulSet web', 'DaemonSet web'],
        message: expect.stringMatching(/Deployment stuck in shop does not roll out.*timed out progressing/),
      });
      expect(codesOf(report)).toEqual(['RolloutFailed']);
      const { data } = await admin.get(secretPath);
      expect(Object.keys(data ?? {}).toSorted()).toEqual(['dhparam', 'htpasswd', 'proxycert', 'proxykey']);
    });
  });
}
