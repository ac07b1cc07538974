// What `npm run rbac` prints, on a real API server: a user bound to nothing else does a whole delivery.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeRoles } from '../../infra/inventory/rbac.ts';
import { codesOf, only, targetsOf } from '../deploy/harness.ts';
import { targetOf } from '../minting/targets.ts';
import { type DeliveryHarness, openDeliveryHarness } from './delivery-harness.ts';
import { kubernetesParts, missing } from './parts/locate.ts';

const absent = missing(kubernetesParts);
const target = targetOf();
const proxy = targetOf({ secret: 'proxy-certs', format: 'ployst', replace: true });
const inventory = {
  issuers: {},
  clusters: { lab: { kubeconfig: { secret: 'lab' } } },
  certificates: [
    {
      name: 'shop',
      domains: ['shop.example.com'],
      issuer: 'default',
      key: 'ecdsa-p256' as const,
      targets: [target, proxy],
    },
  ],
};

if (absent.length > 0) {
  test.todo(`the printed roles in a real cluster: run test/real/install ${absent.join(' ')}`);
} else {
  describe('a user bound to nothing but what npm run rbac prints', () => {
    let harness: DeliveryHarness;
    beforeAll(async () => {
      harness = await openDeliveryHarness(describeRoles(['lab', '--user', 'certrelay'], inventory));
      await harness.issue('version-1');
    }, 60_000);
    afterAll(() => harness.close());

    test('makes the Secrets, makes one of another type again, restarts the workload, and waits for it', async () => {
      await harness.addWorkload('Deployment', 'web');
      const labels = { 'app.kubernetes.io/managed-by': 'certrelay' };
      const metadata = { name: 'proxy-certs', labels };
      const type = 'kubernetes.io/tls';
      const data = { 'tls.crt': '', 'tls.key': '' };
      const path = '/api/v1/namespaces/shop/secrets';
      await harness.admin.create(path, { apiVersion: 'v1', kind: 'Secret', type, data, metadata });
      const report = await harness.deploy([target, proxy]);
      expect(codesOf(report)).toEqual([]);
      expect(targetsOf(report)).toMatchObject([
        { outcome: 'delivered', action: 'create', restarted: ['Deployment web'] },
        { outcome: 'delivered', action: 'replace' },
      ]);
      await harness.issue('version-2');
      expect(targetsOf(await harness.deploy([target, proxy]))).toMatchObject([
        { outcome: 'delivered', action: 'apply' },
        { outcome: 'delivered', action: 'apply' },
      ]);
    }, 60_000);

    test.each([
      ['another Secret', targetOf({ secret: 'foreign-tls' })],
      ['another namespace', targetOf({ namespace: 'default' })],
    ])('is forbidden %s', async (_, other) => {
      const report = await harness.deploy(other);
      expect(codesOf(report)).toEqual(['Forbidden']);
      expect(only(report).outcome).toBe('pending');
    });
  });
}
