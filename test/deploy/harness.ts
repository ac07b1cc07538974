// What deploy tests start from: a store in memory, embedded clusters behind the real adapter, and time that
// passes only when somebody sleeps. Deploying is done as `certrelay`, with the rights of infra/rbac.yaml and
// no others.
import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import * as z from 'zod';
import { connectCertificateManager } from '../../lib/adapters/acm/connection.ts';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import type { CertificateSpec, Inventory, TargetSpec } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { deployCertificates } from '../../lib/deploy/deploy.ts';
import type {
  DeployInvocation,
  DeployPorts,
  DeployReport,
  TargetReport,
} from '../../lib/deploy/invocation.ts';
import { type Cluster, ClusterError } from '../../lib/ports/cluster.ts';
import type { PutEvents } from '../../lib/ports/events.ts';
import type { ProbeServed, ServedQuery } from '../../lib/ports/probe.ts';
import { StoreError } from '../../lib/ports/store.ts';
import type { DeployRequest } from '../../lib/requests/requests.ts';
import type { ServedWord } from '../../lib/state/delivery.ts';
import { openAdmin } from '../contracts/kubernetes-admin.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeOperations } from '../fakes/operations.ts';
import { FakeStore } from '../fakes/store.ts';
import { type Minting, mintChain } from '../minting/certificates.ts';
import { type SandboxAcm, startAcm } from '../sandbox/acm/server.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import {
  type KubernetesOptions,
  type SandboxKubernetes,
  startKubernetes,
} from '../sandbox/kubernetes/server.ts';
import { accessKeyOf } from '../sandbox/principal.ts';

const rbac = readFileSync(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8');

export interface HarnessOptions {
  readonly targets: readonly TargetSpec[];
  /** Clusters to start; `lab` if not given. Targets may name others, which are unreachable. */
  readonly clusters?: readonly string[];
  /** Clusters of the inventory that only an agent reaches. */
  readonly agents?: readonly string[];
  readonly namespaces?: readonly string[];
  /** YAML of what certrelay may do, instead of infra/rbac.yaml and its role in each of the namespaces. */
  readonly roles?: string;
  /** `prune` of cluster `lab`. */
  readonly prune?: true | readonly string[];
  /** `concurrency` of every cluster. */
  readonly concurrency?: number;
  /** Takes events. */
  readonly putEvents?: PutEvents;
  /** In place of the notes on tags. */
  readonly operations?: DeployPorts['operations'];
  /** Whether there is an AWS Certificate Manager. */
  readonly acm?: boolean;
  /** Which pods become ready; all if not given. */
  readonly areReady?: KubernetesOptions['areReady'];
  /** Nodes of every cluster; one with room if not given. */
  readonly nodes?: KubernetesOptions['nodes'];
  /** Puts something between the story and a cluster. */
  readonly wrap?: (cluster: Cluster, name: string) => Cluster;
  /** Gives clusters that are not started here. */
  readonly reach?: (name: string) => Promise<Cluster> | undefined;
  /** Puts something around each look at what is served. */
  readonly looking?: <T>(look: () => Promise<T>) => Promise<T>;
  /** Puts something between the story and the store, anew for each run. */
  readonly seenBy?: (store: FakeStore) => DeployPorts['store'];
  readonly judgeRollback?: DeployPorts['judgeRollback'];
  readonly installation?: DeployPorts['installation'];
}

export type Harness = Awaited<ReturnType<typeof openHarness>>;

/** One certificate, `shop`, stored and to be delivered to the targets. */
export async function openHarness(options: HarnessOptions) {
  const { targets, clusters: names = ['lab'], namespaces = ['shop'], areReady } = options;
  const { wrap = (cluster) => cluster } = options;
  const clock = new FakeClock('2026-11-22T10:00:00Z');
  const store = new FakeStore(() => clock.now());
  const [log, journal, faults] = [new FakeLog(), new Journal(), new Faults()];
  const operations = new FakeOperations();
  const clusters = new Map<string, SandboxKubernetes>();
  for (const name of names) {
    const now = () => clock.now().getTime();
    const settings = {
      name,
      namespaces,
      manifests: options.roles ?? rbac,
      now,
      areReady,
      nodes: options.nodes,
    };
    const cluster = await startKubernetes(settings, { journal, faults });
    onTestFinished(() => cluster.stop());
    const bound = options.roles === undefined ? namespaces : [];
    for (const namespace of bound) cluster.create(bindingOf(namespace, 'certrelay'));
    clusters.set(name, cluster);
  }
  const acm: SandboxAcm | undefined = options.acm
    ? await startAcm({ journal, faults, now: () => clock.now() })
    : undefined;
  onTestFinished(() => acm?.stop());
  const lab = clusters.get('lab');
  if (!lab) throw new Error('every harness has a cluster named lab');
  const admin = openAdmin(lab.kubeconfig('admin'));
  onTestFinished(() => admin.close());
  const certificates: CertificateSpec[] = [];
  const texts = new Map<string, string>();
  let sections: Pick<Inventory, 'registration' | 'discovery'> = {};
  /** What is seen at the certificate's addresses, one look after the other; the last one goes on. */
  const sightings: ServedWord[][] = [];
  const look = async () => {
    const [words = []] = sightings.length > 1 ? sightings.splice(0, 1) : sightings;
    const results = words.map((served, index) => ({
      name: 'shop.example.com',
      address: `192.0.2.${index}`,
      served,
      message: 'so it was seen',
    }));
    return { served: words[0] ?? 'served', message: '', results };
  };
  const questions: ServedQuery[] = [];
  const probeServed: ProbeServed = (asked) => {
    questions.push(asked);
    return options.looking ? options.looking(look) : look();
  };

  async function issue(
    name: string,
    version: string,
    targetsOf: readonly TargetSpec[] = [],
    otherwise: Partial<Minting> = {},
  ) {
    const now = clock.now();
    const notAfter = new Date(now.getTime() + 90 * 86_400_000);
    const minting = { domains: [`${name}.example.com`], notBefore: now, notAfter };
    const minted = await mintChain({ ...minting, ...otherwise });
    await store.create(name, undefined);
    const issuer = 'https://ca.example/directory';
    await store.put(name, { chain: minted.chain, key: minted.key, issuer }, version);
    if (!certificates.some((certificate) => certificate.name === name)) {
      certificates.push({
        name,
        domains: [`${name}.example.com`],
        issuer: 'default',
        key: 'ecdsa-p256',
        targets: targetsOf,
      });
    }
    return minted;
  }

  const first = await issue('shop', 'version-1', targets);
  return {
    clock,
    store,
    operations,
    log,
    journal,
    faults,
    clusters,
    lab,
    /** What is in ACM, in all regions. */
    acm: acm?.certificates,
    /** AWS secrets that hold plain text, by name. */
    texts,
    sightings,
    questions,
    /** May do everything in cluster `lab`. */
    admin,
    /** The certificate that is stored at first. */
    first,
    /** Stores a certificate, or the next version of one. */
    issue,
    /** Stores the next version of a certificate that is not in the inventory file. */
    async issueStored(spec: StoredSpec, version: string) {
      const notBefore = clock.now();
      const notAfter = new Date(notBefore.getTime() + 90 * 86_400_000);
      const { chain, key } = await mintChain({ domains: spec.domains, notBefore, notAfter });
      await store.create(spec.name, spec);
      await store.put(spec.name, { chain, key, issuer: 'https://ca.example/directory', spec }, version);
    },
    /** What others may ask for. */
    allow: (allowed: typeof sections) => {
      sections = allowed;
    },
    /** Gives `shop` other targets. */
    targets: (changed: readonly TargetSpec[]) => {
      const [shop] = certificates;
      if (shop) certificates[0] = { ...shop, targets: changed };
    },
    /** Takes a certificate out of the inventory. */
    forget: (name: string) => {
      const index = certificates.findIndex((certificate) => certificate.name === name);
      certificates.splice(index, 1);
    },
    /** Creates a workload in cluster `lab` whose pods mount the Secret. */
    addWorkload(
      kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
      name: string,
      ...secrets: readonly string[]
    ) {
      const volumes = secrets.map((secretName) => ({ name: secretName, secret: { secretName } }));
      const { body } = workloadOf(kind, 'shop', { name, pod: { volumes } });
      lab.create({ ...body, metadata: { ...body.metadata, namespace: 'shop' } });
    },
    async deploy(
      request: DeployRequest & Pick<DeployInvocation, 'delegatedClusters'> = {},
      signal?: AbortSignal,
    ): Promise<DeployReport> {
      const reached = names.map((name) => {
        const prune = name === 'lab' ? options.prune : undefined;
        return [name, { kubeconfig: { secret: name }, prune, concurrency: options.concurrency }] as const;
      });
      const agents = Object.fromEntries(
        (options.agents ?? []).map((name) => [name, { agent: true } as const]),
      );
      const inventory: Inventory = {
        issuers: {},
        clusters: { ...Object.fromEntries(reached), ...agents },
        certificates,
        ...sections,
      };
      const connect = async (name: string) => {
        const cluster = clusters.get(name);
        const other = options.reach?.(name);
        if (other) return other;
        if (!cluster) throw new ClusterError('SignInFailed', `cluster ${name} has no kubeconfig`);
        return wrap(
          connectCluster({ name, access: readKubeconfig(name, cluster.kubeconfig('certrelay')), clock, log }),
          name,
        );
      };
      const credentials = { accessKeyId: accessKeyOf('deploy'), secretAccessKey: 'harness' };
      const connectAcm = async (region: string) => {
        if (!acm) throw new Error('this harness has no ACM');
        return connectCertificateManager({
          region,
          prefix: 'certrelay',
          config: { endpoint: acm.url, credentials },
        });
      };
      const readText = async (secret: string) => {
        const text = texts.get(secret);
        if (text === undefined) throw new StoreError('Failed', `the AWS secret ${secret} does not exist`);
        return text;
      };
      return deployCertificates(
        {
          store: options.seenBy?.(store) ?? store,
          connect,
          connectAcm,
          readText,
          probeServed,
          judgeRollback: options.judgeRollback,
          installation: options.installation,
          putEvents: options.putEvents,
          operations: options.operations ?? operations,
          clock,
          log,
        },
        {
          ...request,
          inventory,
          signal: signal ?? AbortSignal.timeout(60_000),
          cleanUpSignal: AbortSignal.timeout(60_000),
        },
      );
    },
    /** Actions that reached the clusters since the last time this was called. */
    calls(): readonly string[] {
      const actions = journal.calls.map(({ action }) => action);
      journal.clear();
      return actions;
    },
    secret: (name = 'shop-tls', cluster = 'lab', namespace = 'shop') => {
      const found = clusters.get(cluster)?.find('secrets', namespace, name);
      return found && storedSecret.parse(found);
    },
  };
}

const storedSecret = z.object({
  type: z.string(),
  data: z.record(z.string(), z.string()),
  metadata: z.object({
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});

export function bindingOf(namespace: string, role: string): object {
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: 'RoleBinding',
    metadata: { name: role, namespace },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup, kind: 'User', name: 'certrelay' }],
  };
}

/** All targets' reports, in order. */
export function targetsOf(report: DeployReport): readonly TargetReport[] {
  return report.certificates.flatMap(({ targets }) => targets);
}

/** The only target's report. */
export function only(report: DeployReport): TargetReport {
  const [target, ...more] = targetsOf(report);
  if (!target || more.length > 0) throw new Error(`not one target: ${JSON.stringify(report.certificates)}`);
  return target;
}

export function codesOf(report: DeployReport): readonly unknown[] {
  return [...report.failures.values()].flat().map((error) => ('code' in error ? error.code : error.message));
}

export function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
