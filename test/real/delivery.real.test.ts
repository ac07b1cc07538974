// The deploy story on a real control plane: its admission, its controllers, and RBAC with infra/rbac.yaml alone.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import { deployCertificates } from '../../lib/deploy/deploy.ts';
import { connectCluster } from '../../lib/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/kubernetes/kubeconfig.ts';
import { mintChain } from '../certificate/minting.ts';
import { targetOf } from '../certificate/targets.ts';
import { type Admin, openAdmin } from '../contracts/kubernetes-admin.ts';
import { realClock } from '../contracts/kubernetes-bench.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { bindingOf, codesOf, only } from '../deploy/bench.ts';
import { FakeLog, FakeStore } from '../issue/fakes.ts';
import { type Kubernetes, startKubernetes } from './parts/kubernetes.ts';
import { kubernetesParts, missing } from './parts/locate.ts';

const absent = missing(kubernetesParts);
const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;
const rbacPath = '/apis/rbac.authorization.k8s.io/v1';
const secretPath = '/api/v1/namespaces/shop/secrets/shop-tls';

if (absent.length > 0) {
  test.todo(`deploying to a real cluster: run test/real/install ${absent.join(' ')}`);
} else {
  describe('deploying to a real cluster as a user bound to nothing but infra/rbac.yaml', () => {
    let kubernetes: Kubernetes;
    let admin: Admin;
    const store = new FakeStore();

    beforeAll(async () => {
      kubernetes = await startKubernetes({ users: ['certrelay'] });
      admin = openAdmin(kubernetes.adminKubeconfig);
      const rbac = await readFile(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8');
      for (const document of parseAllDocuments(rbac)) {
        const object: { readonly kind: string } = document.toJS();
        const isRole = object.kind === 'ClusterRole';
        await admin.create(
          `${rbacPath}/${isRole ? 'clusterroles' : 'namespaces/default/rolebindings'}`,
          object,
        );
      }
      await admin.create('/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'shop' },
      });
      await admin.create(`${rbacPath}/namespaces/shop/rolebindings`, bindingOf('shop', 'certrelay'));
      for (const kind of kinds) await addWorkload(kind, 'web');
    });
    afterAll(async () => {
      await admin.close();
      await kubernetes.stop();
    });

    async function addWorkload(
      kind: (typeof kinds)[number],
      name: string,
      pod: object = {},
      spec: object = {},
    ) {
      const volumes = [{ name: 'tls', secret: { secretName: 'shop-tls' } }];
      const { path, body } = workloadOf(kind, 'shop', { name, pod: { volumes, ...pod }, spec });
      await admin.create(path, body);
    }

    async function issue(version: string): Promise<void> {
      const notBefore = new Date();
      const notAfter = new Date(notBefore.getTime() + 90 * 86_400_000);
      const { chain, key } = await mintChain({ domains: ['shop.example.com'], notBefore, notAfter });
      await store.create('shop', undefined);
      await store.put('shop', { chain, key, issuer: 'https://ca.example' }, version);
    }

    async function deploy() {
      const log = new FakeLog();
      const kubeconfig = kubernetes.kubeconfigFor('certrelay');
      const shop: CertificateSpec = {
        name: 'shop',
        domains: ['shop.example.com'],
        issuer: 'default',
        key: 'ecdsa-p256',
        targets: [targetOf({ format: 'nginx-ssl-proxy' })],
      };
      const connect = async (name: string) =>
        connectCluster({ name, access: readKubeconfig(name, kubeconfig), clock: realClock, log });
      return deployCertificates(
        {
          store,
          connect,
          connectAcm: () => Promise.reject(new Error('no target is in ACM')),
          readText: () => Promise.reject(new Error('no target has a keystore')),
          lookAtServed: () => Promise.reject(new Error('no target is looked at')),
          clock: realClock,
          log,
        },
        {
          inventory: { issuers: {}, clusters: {}, certificates: [shop] },
          signal: AbortSignal.timeout(30_000),
          cleanUpSignal: AbortSignal.timeout(35_000),
        },
      );
    }

    test('the Secret is made, every user is rolled, and the run ends when their controllers are done', async () => {
      await issue('version-1');
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
      await store.record('shop', { deployed: null });
      expect(only(await deploy())).toMatchObject({ outcome: 'unchanged' });
      expect(await versions()).toEqual(before);
    });

    test('a renewal keeps htpasswd, and a rollout that the cluster gives up is a failure', async () => {
      await admin.patch(secretPath, { data: { htpasswd: 'eA==' } });
      await addWorkload(
        'Deployment',
        'stuck',
        { nodeSelector: { disk: 'none' } },
        { progressDeadlineSeconds: 2 },
      );
      await issue('version-2');
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
