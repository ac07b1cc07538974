// Secrets whose target was taken out, on a real control plane: who may look at what uses them, and which of
// them go.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  argoDefinition,
  argoRolloutOf,
  createDefined,
  gatewayDefinitions,
  gatewayGroup,
  gatewayOf,
  grantOf,
  ingressOf,
} from '../contracts/kubernetes-kinds.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { bindingOf } from '../deploy/harness.ts';
import { targetOf } from '../minting/targets.ts';
import { type DeliveryHarness, openDeliveryHarness, rbacPath } from './delivery-harness.ts';
import { kubernetesParts, missing } from './parts/locate.ts';

const absent = missing(kubernetesParts);
const kept = targetOf({ secret: 'kept-tls' });
/** Who still uses the Secret of that name, once its target is gone. */
const users = {
  'deployment-tls': 'Deployment web',
  'far-gateway-tls': 'Gateway front/far in cluster lab',
  'gateway-tls': 'Gateway shop/near in cluster lab',
  'ingress-tls': 'Ingress shop/web in cluster lab',
  'rollout-tls': 'Rollout canary',
};
const names = [...Object.keys(users), 'unused-tls'];

if (absent.length > 0) {
  test.todo(`pruning in a real cluster: run test/real/install ${absent.join(' ')}`);
} else {
  describe('pruning in a real cluster as a user bound to nothing but infra/rbac.yaml', () => {
    let harness: DeliveryHarness;

    beforeAll(async () => {
      harness = await openDeliveryHarness();
      const { admin } = harness;
      const front = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'front' } };
      await admin.create('/api/v1/namespaces', front);
      await harness.issue('version-1');
      const targets = names.map((secret) => targetOf({ secret, restart: 'none' }));
      expect((await harness.deploy([kept, ...targets])).failures.size).toBe(0);
    }, 60_000);
    afterAll(() => harness.close());

    const prune = () => harness.deploy(kept, {}, { prune: true });
    const bind = (namespace: string, role: string) =>
      harness.admin.create(`${rbacPath}/namespaces/${namespace}/rolebindings`, bindingOf(namespace, role));
    const isThere = (secret: string) =>
      harness.admin.get(`/api/v1/namespaces/shop/secrets/${secret}`).then(
        () => true,
        () => false,
      );

    test('without the right to list Secrets, or Ingresses, nothing goes and the missing verb is named', async () => {
      expect((await prune()).pruned).toMatchObject([
        { target: 'lab/shop', outcome: 'pending', message: expect.stringContaining('"list" on "secrets"') },
      ]);
      const rolePath = `${rbacPath}/clusterroles/certrelay-prune`;
      const { rules } = await harness.admin.get(rolePath);
      if (!Array.isArray(rules)) throw new Error('the role has no rules');
      const isAboutIngresses = (rule: { readonly resources: readonly string[] }) =>
        rule.resources.includes('ingresses');
      await harness.admin.patch(rolePath, { rules: rules.filter((rule) => !isAboutIngresses(rule)) });
      await bind('shop', 'certrelay-prune');
      await expect
        .poll(async () => (await prune()).pruned)
        .toMatchObject(
          names.map((name) => ({
            target: `lab/shop/${name}`,
            outcome: 'pending',
            message: expect.stringContaining('add verb "list" on "ingresses" to the role'),
          })),
        );
      await harness.admin.patch(rolePath, { rules });
    });

    test('what a workload, an Ingress or a Gateway uses stays and is named with it; the others go, and the next pass changes nothing', async () => {
      await addUsers();
      const reports = names.map((name) => {
        const user = new Map(Object.entries(users)).get(name);
        const outcome = user === undefined ? 'deleted' : 'kept';
        const message = expect.stringContaining(
          user === undefined ? 'Secret deleted' : `but ${user} still uses it; `,
        );
        return { target: `lab/shop/${name}`, outcome, message };
      });
      await bind('front', 'certrelay-prune-gateways');
      const settled = async () => {
        const { pruned } = await prune();
        return pruned.some(({ outcome }) => outcome === 'pending') ? undefined : pruned;
      };
      await expect.poll(settled).toMatchObject(reports);
      expect(await isThere('unused-tls')).toBe(false);
      for (const name of ['kept-tls', ...Object.keys(users)]) expect(await isThere(name), name).toBe(true);
      const { pruned } = await prune();
      expect(pruned.map(({ outcome }) => outcome)).toEqual(Object.keys(users).map(() => 'kept'));
    });

    test('what names the Secret no longer lets it go', async () => {
      const change = { spec: { tls: [{ hosts: ['shop.example.com'], secretName: 'kept-tls' }] } };
      await harness.admin.patch('/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web', change);
      await harness.admin.remove(`/apis/${gatewayGroup}/v1/namespaces/shop/gateways/near`);
      const deleted = (await prune()).pruned.filter(({ outcome }) => outcome === 'deleted');
      expect(deleted.map(({ target }) => target)).toEqual(['lab/shop/gateway-tls', 'lab/shop/ingress-tls']);
      expect(await isThere('far-gateway-tls')).toBe(true);
    });

    test('a copy stays and is named, even one that brings the managedFields of its model', async () => {
      const path = '/api/v1/namespaces/shop/secrets';
      const { metadata, data } = await harness.admin.get(`${path}/kept-tls`);
      const { labels, annotations, managedFields } = metadata;
      const copies = {
        'copy-tls': { labels, annotations },
        'whole-copy-tls': { labels, annotations, managedFields },
      };
      for (const [name, copied] of Object.entries(copies)) {
        const type = 'kubernetes.io/tls';
        await harness.admin.create(path, {
          apiVersion: 'v1',
          kind: 'Secret',
          type,
          data,
          metadata: { name, ...copied },
        });
      }
      const found = (await prune()).pruned.filter(({ target }) => target.endsWith('copy-tls'));
      expect(found).toMatchObject(
        Object.keys(copies).map((name) => ({
          target: `lab/shop/${name}`,
          outcome: 'kept',
          message: expect.stringContaining('it is a copy'),
        })),
      );
      for (const name of Object.keys(copies)) expect(await isThere(name), name).toBe(true);
    });

    async function addUsers(): Promise<void> {
      const volumes = [{ name: 'tls', secret: { secretName: 'deployment-tls' } }];
      const { path, body } = workloadOf('Deployment', 'shop', { pod: { volumes } });
      await harness.admin.create(path, body);
      const gateways = (namespace: string) => `/apis/${gatewayGroup}/v1/namespaces/${namespace}/gateways`;
      await createDefined(
        harness.admin,
        [...gatewayDefinitions, argoDefinition],
        [
          ['/apis/networking.k8s.io/v1/namespaces/shop/ingresses', ingressOf('shop', 'web', 'ingress-tls')],
          [gateways('shop'), gatewayOf('shop', 'near', { name: 'gateway-tls' })],
          [gateways('front'), gatewayOf('front', 'far', { name: 'far-gateway-tls', namespace: 'shop' })],
          [`/apis/${gatewayGroup}/v1beta1/namespaces/shop/referencegrants`, grantOf('shop', 'front')],
          [
            '/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts',
            argoRolloutOf('shop', 'canary', 'rollout-tls'),
          ],
        ],
      );
    }
  });
}
