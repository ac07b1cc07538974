// Measures one certificate on its way into very many Secrets of five clusters, and a look at them when
// nothing changed.

import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { workloadKinds } from '../../lib/certificate/rollout-spec.ts';
import type { CertificateSpec, SecretTarget } from '../../lib/certificate/spec.ts';
import { deployCertificates } from '../../lib/deploy/deploy.ts';
import { otherKinds } from '../../lib/policy/kubernetes/objects.ts';
import { openAdmin } from '../contracts/kubernetes-admin.ts';
import { realClock } from '../fakes/clock.ts';
import { silentLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';
import { mintChain } from '../minting/certificates.ts';
import { deploymentUsing } from '../minting/workloads.ts';
import { startKubernetes as startControlPlane } from '../real/parts/kubernetes.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { startKubernetes } from '../sandbox/kubernetes/server.ts';
import { type Traffic, watchTraffic } from './traffic.ts';

const clusterCount = 5;
const boundRoles = ['certrelay', 'certrelay-list'];
const rbacPath = '/apis/rbac.authorization.k8s.io/v1';

/** An API server on which `certrelay` may do what infra/rbac.yaml allows, in every namespace. */
export interface Subject {
  kubeconfig(user: 'admin' | 'certrelay'): string;
  stop(): Promise<void>;
}

/** How many targets there are and where: in all five clusters, so many namespaces of each. */
export interface Spread {
  readonly targets: number;
  readonly namespaces: number;
  /** Targets of one certificate; all where absent. */
  readonly perCertificate?: number;
  /** Whether each has a Deployment that uses its Secret. Those have no pods: how long pods take is up to the
   *  cluster. */
  readonly workloads: boolean;
}

/** What one run of the deploy story asked of the clusters. */
export interface FanOut {
  readonly ms: number;
  readonly delivered: number;
  readonly unchanged: number;
  /** Reads and writes of single objects, the most that one target cost. */
  readonly mostPerTarget: number;
  readonly reads: number;
  readonly patches: number;
  /** The first list of each kind and namespace, and those made again while rollouts went on. */
  readonly lists: number;
  readonly repeatedLists: number;
  readonly connections: number;
}

/** As many embedded API servers as there are clusters. */
export async function startEmbedded(): Promise<readonly Subject[]> {
  const surroundings = { journal: new Journal(), faults: new Faults() };
  return Promise.all(
    Array.from({ length: clusterCount }, (_, index) =>
      startKubernetes({ name: `cluster-${index}` }, surroundings).then(bindRole),
    ),
  );
}

/** One real control plane that stands for all clusters: each is a connection of its own. */
export async function startReal(): Promise<readonly Subject[]> {
  const cluster = await startControlPlane({ users: ['certrelay'] });
  const kubeconfig = (user: string) =>
    user === 'admin' ? cluster.adminKubeconfig : cluster.kubeconfigFor(user);
  return [await bindRole({ kubeconfig, stop: () => cluster.stop() })];
}

/** Certificates with their targets, spread over the subjects; one subject alone stands for all clusters. */
export async function openFanOut(subjects: readonly Subject[], spread: Spread) {
  const kubeconfigs = Array.from(
    { length: clusterCount },
    (_, index) => subjects[index % subjects.length]?.kubeconfig('certrelay') ?? '',
  );
  const targets = describeTargets(spread);
  const admins = subjects.map((subject) => openAdmin(subject.kubeconfig('admin')));
  const adminOf = ({ cluster }: SecretTarget) => admins[Number(cluster.split('-')[1]) % admins.length];
  const namespaces = new Map(targets.map((target) => [`${target.cluster}/${target.namespace}`, target]));
  for (const target of namespaces.values()) {
    const metadata = { name: target.namespace };
    await adminOf(target)?.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  for (const target of spread.workloads ? targets : []) {
    const { namespace, secret } = target;
    const deployment = Object(JSON.parse(deploymentUsing(namespace, secret, secret, 0)));
    await adminOf(target)?.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, deployment);
  }
  await Promise.all(admins.map((admin) => admin.close()));

  const store = new FakeStore();
  const certificates = groupTargets(targets, spread.perCertificate ?? targets.length);
  let versions = 0;
  return {
    /** Stores the next version of every certificate. */
    async renew(): Promise<void> {
      versions += 1;
      const notBefore = new Date();
      const notAfter = new Date(notBefore.getTime() + 90 * 86_400_000);
      for (const { name, domains } of certificates) {
        const { chain, key } = await mintChain({ domains, notBefore, notAfter });
        await store.create(name, undefined);
        const version = `${name}-${versions}`;
        await store.put(name, { chain, key, issuer: 'https://ca.example' }, version);
      }
    },
    async deploy(): Promise<FanOut> {
      const connect = async (name: string) => {
        const access = readKubeconfig(name, kubeconfigs[Number(name.split('-')[1])] ?? '');
        return connectCluster({ name, access, clock: realClock, log: silentLog });
      };
      const nobody = (what: string) => () => Promise.reject(new Error(`no target has ${what}`));
      const ports = {
        store,
        connect,
        connectAcm: nobody('ACM'),
        readText: nobody('a keystore'),
        probeServed: nobody('a look at what is served'),
        clock: realClock,
        log: silentLog,
      };
      const inventory = { issuers: {}, clusters: {}, certificates };
      const signal = AbortSignal.timeout(240_000);
      const startedAt = performance.now();
      const traffic = await watchTraffic(() =>
        deployCertificates(ports, { inventory, signal, cleanUpSignal: signal }),
      );
      const ms = performance.now() - startedAt;
      const { failures, certificates: reports } = traffic.answer;
      const [failure] = [...failures.values()].flat();
      if (failure) throw failure;
      const outcomes = reports.flatMap((report) => report.targets.map(({ outcome }) => outcome));
      const count = (wanted: string) => outcomes.filter((outcome) => outcome === wanted).length;
      const delivered = count('delivered');
      return { ms, delivered, unchanged: count('unchanged'), ...sortRequests(traffic) };
    },
  };
}

/** Every kind that uses Secrets, once a namespace. */
export function countLists({ targets, namespaces }: Spread): number {
  const places = new Set(
    describeTargets({ targets, namespaces, workloads: false }).map(
      (one) => `${one.cluster}/${one.namespace}`,
    ),
  );
  return places.size * (workloadKinds.length + otherKinds.length);
}

function describeTargets({ targets, namespaces }: Spread): readonly SecretTarget[] {
  return Array.from({ length: targets }, (_, index) => {
    const cluster = index % clusterCount;
    const namespace = Math.floor(index / clusterCount) % namespaces;
    return {
      cluster: `cluster-${cluster}`,
      // Its own name in each cluster, because one API server may stand for all of them.
      namespace: `team-${cluster}-${namespace}-of-${targets}`,
      secret: `tls-${index}`,
      format: 'tls',
      restart: 'auto',
      restartStrategy: 'annotation',
      adopt: false,
      replace: false,
    };
  });
}

function groupTargets(targets: readonly SecretTarget[], size: number): readonly CertificateSpec[] {
  return Array.from({ length: Math.ceil(targets.length / size) }, (_, index) => ({
    name: `shop-${index}`,
    domains: [`shop-${index}.example.com`],
    issuer: 'default',
    key: 'ecdsa-p256',
    targets: targets.slice(index * size, (index + 1) * size),
  }));
}

async function bindRole(subject: Subject): Promise<Subject> {
  const text = await readFile(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8');
  const roles = parseAllDocuments(text).map((document) => document.toJS());
  const apiGroup = 'rbac.authorization.k8s.io';
  const admin = openAdmin(subject.kubeconfig('admin'));
  for (const name of boundRoles) {
    const role = roles.find(({ metadata }) => metadata.name === name);
    await admin.create(`${rbacPath}/clusterroles`, role);
    await admin.create(`${rbacPath}/clusterrolebindings`, {
      apiVersion: `${apiGroup}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup, kind: 'ClusterRole', name },
      subjects: [{ apiGroup, kind: 'User', name: 'certrelay' }],
    });
  }
  await admin.close();
  return subject;
}

/** Objects have their own name at the end of their path, lists the kind's. A target's Secret and Deployment
 *  are named alike. */
function sortRequests({ requests, connections }: Traffic) {
  const isList = ({ path }: Traffic['requests'][number]) => !/\/tls-\d+$/.test(path);
  const lists = requests.filter(isList).map(({ path }) => path);
  const single = requests.filter((request) => !isList(request));
  const perTarget = Map.groupBy(single, ({ path }) => path.slice(path.lastIndexOf('/')));
  const distinct = new Set(lists).size;
  return {
    mostPerTarget: Math.max(...[...perTarget.values()].map((own) => own.length)),
    reads: single.filter(({ method }) => method === 'GET').length,
    patches: single.filter(({ method }) => method === 'PATCH').length,
    lists: distinct,
    repeatedLists: lists.length - distinct,
    connections,
  };
}
