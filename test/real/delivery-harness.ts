// What tests of delivering to a real cluster start from: a user bound to nothing but infra/rbac.yaml in one
// namespace.

import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import type { CertificateSpec, TargetSpec } from '../../lib/certificate/spec.ts';
import { deployCertificates } from '../../lib/deploy/deploy.ts';
import type { DeployRequest } from '../../lib/requests/requests.ts';
import { openAdmin } from '../contracts/kubernetes-admin.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { bindingOf } from '../deploy/harness.ts';
import { realClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';
import { mintChain } from '../minting/certificates.ts';
import { startKubernetes } from './parts/kubernetes.ts';

export const rbacPath = '/apis/rbac.authorization.k8s.io/v1';

export type DeliveryHarness = Awaited<ReturnType<typeof openDeliveryHarness>>;

/** A control plane with the namespace `shop`, and the certificate `shop` for its targets.
 *  @param roles YAML of what certrelay may do, instead of infra/rbac.yaml and its role in `shop`. */
export async function openDeliveryHarness(roles?: string) {
  const kubernetes = await startKubernetes({ users: ['certrelay'] });
  const admin = openAdmin(kubernetes.adminKubeconfig);
  const store = new FakeStore(() => new Date());
  const rbac = await readFile(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8');
  const metadata = { name: 'shop' };
  await admin.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  for (const document of parseAllDocuments(roles ?? rbac)) {
    const object: { readonly kind: string; readonly metadata: { readonly namespace?: string } } =
      document.toJS();
    const { namespace } = object.metadata;
    const place = namespace === undefined ? '' : `namespaces/${namespace}/`;
    await admin.create(`${rbacPath}/${place}${object.kind.toLowerCase()}s`, object);
  }
  if (roles === undefined) {
    await admin.create(`${rbacPath}/namespaces/shop/rolebindings`, bindingOf('shop', 'certrelay'));
  }
  return {
    admin,
    store,
    /** A workload whose pods mount the Secret. */
    async addWorkload(
      kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
      name: string,
      pod: object = {},
      spec: object = {},
    ) {
      const volumes = [{ name: 'tls', secret: { secretName: 'shop-tls' } }];
      const { path, body } = workloadOf(kind, 'shop', { name, pod: { volumes, ...pod }, spec });
      await admin.create(path, body);
    },
    async issue(version: string) {
      const notBefore = new Date();
      const notAfter = new Date(notBefore.getTime() + 90 * 86_400_000);
      const minted = await mintChain({ domains: ['shop.example.com'], notBefore, notAfter });
      await store.create('shop', undefined);
      const { chain, key } = minted;
      await store.put('shop', { chain, key, issuer: 'https://ca.example' }, version);
      return minted;
    },
    /** `prune`: of the cluster, in all namespaces that targets name. `timeMs`: 30 s if not given. */
    async deploy(
      target: TargetSpec | readonly TargetSpec[],
      request: DeployRequest = {},
      { prune, timeMs = 30_000 }: { readonly prune?: true; readonly timeMs?: number } = {},
    ) {
      const log = new FakeLog();
      const access = readKubeconfig('lab', kubernetes.kubeconfigFor('certrelay'));
      const shop: CertificateSpec = {
        name: 'shop',
        domains: ['shop.example.com'],
        issuer: 'default',
        key: 'ecdsa-p256',
        targets: [target].flat(),
      };
      return deployCertificates(
        {
          store,
          connect: async (name) => connectCluster({ name, access, clock: realClock, log }),
          connectAcm: () => Promise.reject(new Error('no target is in ACM')),
          readText: () => Promise.reject(new Error('no target has a keystore')),
          probeServed: () => Promise.reject(new Error('no target is looked at')),
          clock: realClock,
          log,
        },
        {
          ...request,
          inventory: {
            issuers: {},
            clusters: { lab: { kubeconfig: { secret: 'lab' }, prune } },
            certificates: [shop],
          },
          signal: AbortSignal.timeout(timeMs),
          cleanUpSignal: AbortSignal.timeout(timeMs + 5_000),
        },
      );
    },
    /** A node that kwok plays, with this room only. */
    async addNode(name: string, room: Readonly<Record<string, string>>) {
      const allocatable = { cpu: '32', memory: '256Gi', pods: '110', ...room };
      await admin.create('/api/v1/nodes', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name,
          annotations: { 'kwok.x-k8s.io/node': 'fake' },
          labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
        },
        status: { allocatable, capacity: allocatable },
      });
    },
    removeNode: (name: string) => admin.remove(`/api/v1/nodes/${name}`),
    async close() {
      await admin.close();
      await kubernetes.stop();
    },
  };
}
