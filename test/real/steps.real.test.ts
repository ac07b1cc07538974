// Restarting in steps on a real control plane: canary and waves, pods that the cluster refuses, and rights
// that are missing.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RolloutSpec } from '../../lib/certificate/rollout-spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { codesOf, only } from '../deploy/harness.ts';
import { targetOf } from '../minting/targets.ts';
import { type DeliveryHarness, openDeliveryHarness, rbacPath } from './delivery-harness.ts';
import { kubernetesParts, missing } from './parts/locate.ts';
import { refusePods } from './refuse-pods.ts';

const absent = missing(kubernetesParts);
const mark = 'certrelay.dev/fingerprint-shop-tls';
const rollout: RolloutSpec = {
  canary: { kind: 'Deployment', name: 'canary' },
  waves: 2,
  deadlineMs: 600_000,
  probe: false,
  windows: [],
};
const target = targetOf({ rollout });
const names = ['a', 'b', 'canary'];

if (absent.length > 0) {
  test.todo(`restarting in steps on a real cluster: run test/real/install ${absent.join(' ')}`);
} else {
  describe('restarting in steps on a real cluster', () => {
    let harness: DeliveryHarness;
    let good: string;

    beforeAll(async () => {
      harness = await openDeliveryHarness();
      for (const name of names) {
        await harness.addWorkload('Deployment', name, {}, { replicas: 2, progressDeadlineSeconds: 3 });
      }
    }, 60_000);
    afterAll(() => harness.close());

    const deployment = (name: string) =>
      harness.admin.get(`/apis/apps/v1/namespaces/shop/deployments/${name}`);
    const secretVersion = async () =>
      (await harness.admin.get('/api/v1/namespaces/shop/secrets/shop-tls')).metadata.annotations?.[
        'certrelay.dev/version'
      ];

    test('the canary is rolled out before the first wave begins, and that before the second', async () => {
      good = readCertificate((await harness.issue('version-1')).chain).fingerprint;
      const report = await harness.deploy(target);
      expect(only(report)).toMatchObject({
        outcome: 'delivered',
        restarted: ['Deployment canary', 'Deployment a', 'Deployment b'],
      });
      const begun = await Promise.all(
        ['canary', 'a', 'b'].map(async (name) => {
          const { metadata } = await deployment(name);
          return Date.parse(metadata.annotations?.['certrelay.dev/rollout-since'] ?? '');
        }),
      );
      expect(begun).toEqual(begun.toSorted((one, other) => one - other));
      expect(new Set(begun).size).toBe(3);
    });

    test('a wave whose pods the cluster refuses puts Secret and workloads back, and the version is held', async () => {
      const { chain } = await harness.issue('version-2');
      await refusePods(harness.admin, { mark, fingerprint: readCertificate(chain).fingerprint, app: 'a' });
      const report = await harness.deploy(target);
      expect(codesOf(report)).toEqual(['RolloutFailed']);
      expect(only(report)).toMatchObject({
        outcome: 'held',
        restarted: ['Deployment a', 'Deployment canary'],
        message: expect.stringMatching(
          /^Deployment a in shop does not roll out.*the previous version \(version-1\)/,
        ),
      });
      expect(await secretVersion()).toBe('version-1');
      for (const name of names) {
        expect(await deployment(name), name).toMatchObject({
          spec: { template: { metadata: { annotations: { [mark]: good } } } },
          status: { updatedReplicas: 2, availableReplicas: 2, replicas: 2 },
        });
      }
      expect(only(await harness.deploy(target))).toMatchObject({
        outcome: 'held',
        action: 'keep',
        restarted: [],
      });
    });

    test('once the cluster takes the pods, it is delivered by resuming', async () => {
      const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/refuse';
      await harness.admin.remove(path);
      await expect
        .poll(
          async () => only(await harness.deploy(target, { certificates: ['shop'], resume: true })).outcome,
        )
        .toBe('delivered');
      expect(await secretVersion()).toBe('version-2');
    });

    test('a right that is missing is named by its verb, takes nothing back, and is gone on with', async () => {
      const rolePath = `${rbacPath}/clusterroles/certrelay`;
      const { rules } = await harness.admin.get(rolePath);
      if (!Array.isArray(rules)) throw new Error('the role has no rules');
      const reduced = rules.map((rule: { readonly resources: readonly string[] }) =>
        rule.resources.includes('deployments') ? { ...rule, verbs: ['list'] } : rule,
      );
      await harness.admin.patch(rolePath, { rules: reduced });
      await harness.issue('version-3');
      await expect
        .poll(async () => only(await harness.deploy(target)).message)
        .toMatch(/forbidden: user "certrelay" may not; add verb "patch" on "deployments"/);
      expect(await secretVersion()).toBe('version-3');
      expect(harness.store.kept.get('shop')?.state.freeze).toBeUndefined();
      await harness.admin.patch(rolePath, { rules });
      await expect.poll(async () => only(await harness.deploy(target)).outcome).toBe('delivered');
    });
  });
}
