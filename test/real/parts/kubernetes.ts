// Starts a Kubernetes cluster on 127.0.0.1: the real control plane, and one fake node whose pods turn Ready.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustLocate } from './locate.ts';
import {
  freePort,
  freePorts,
  makeDirectory,
  type RunningServer,
  removeDirectory,
  startServer,
} from './process.ts';
import { requestOk } from './request.ts';

/** How this cluster differs from a plain one. */
export interface KubernetesOptions {
  /** Users that have a token and are in no group, so that nothing is allowed to them until a test binds a
   *  role to them. `['certrelay']` if not given. */
  readonly users?: readonly string[];
}

/** A running cluster: RBAC is on, Deployments roll out, pods of a node selector that no node has stay
 *  Pending. */
export interface Kubernetes {
  /** URL of the API server, without a slash at the end. */
  readonly server: string;
  /** PEM file of the authority that its certificate comes from. */
  readonly caFile: string;
  /** Text of a kubeconfig that may do everything. */
  readonly adminKubeconfig: string;
  /** Text of a kubeconfig with the token of one of `users`.
   *  @throws Error for another name. */
  kubeconfigFor(user: string): string;
  /** Stops all servers and removes their files. May be called twice. */
  stop(): Promise<void>;
}

/** What every step below needs of the cluster that is coming up. */
interface Cluster {
  readonly files: string;
  readonly tokens: ReadonlyMap<string, string>;
  /** In the order in which they were started. */
  readonly running: RunningServer[];
}

/** Command line flags without their dashes. */
type Settings = Readonly<Record<string, string | number | boolean>>;

const admin = 'admin';
const nodeName = 'node-1';

/** Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok; resolves when the node is
 *  Ready. Some seconds. Check `missing(kubernetesParts)` first.
 *  @throws Error when one of them is not installed or does not start; none is left running then. */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<Kubernetes> {
  const names = [admin, ...(options.users ?? ['certrelay'])];
  const files = await makeDirectory('kubernetes');
  const tokens = new Map(names.map((name) => [name, randomBytes(16).toString('hex')]));
  const cluster: Cluster = { files, tokens, running: [] };
  try {
    const server = await startApiServer(cluster, await startEtcd(cluster));
    const caFile = join(files, 'kube-apiserver', 'apiserver.crt');
    const ca = await readFile(caFile, 'utf8');
    const kubeconfigFor = (user: string) => kubeconfig(server, ca, user, tokens.get(user));
    const adminKubeconfig = kubeconfigFor(admin);
    await writeFile(join(files, 'admin.kubeconfig'), adminKubeconfig, { mode: 0o600 });
    const call = (path: string, json?: unknown) =>
      requestOk(`${server}${path}`, { ca, token: tokens.get(admin) ?? '', json });
    // Settled, so that none is still starting when a failure of another stops them all.
    const started = await Promise.allSettled([
      startController(cluster, 'kube-controller-manager', {
        'service-account-private-key-file': join(files, 'sa.key'),
        'root-ca-file': caFile,
      }),
      startController(cluster, 'kube-scheduler', {}),
      startNode(cluster, call),
    ]);
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    return { server, caFile, adminKubeconfig, kubeconfigFor, stop: () => stopCluster(cluster) };
  } catch (error) {
    await stopCluster(cluster);
    throw error;
  }
}

async function startEtcd(cluster: Cluster): Promise<string> {
  const [port = 0, peerPort = 0] = await freePorts(2);
  const url = `http://127.0.0.1:${port}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const settings = {
    'data-dir': join(cluster.files, 'etcd'),
    name: 'etcd',
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `etcd=${peerUrl}`,
    'unsafe-no-fsync': true,
  };
  await start(cluster, 'etcd', settings, () => requestOk(`${url}/readyz`));
  return url;
}

async function startApiServer(cluster: Cluster, etcdUrl: string): Promise<string> {
  const { files, tokens } = cluster;
  const keyFile = join(files, 'sa.key');
  const tokenFile = join(files, 'tokens.csv');
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  await writeFile(keyFile, privateKey, { mode: 0o600 });
  const lines = [...tokens].map(([user, token]) =>
    user === admin ? `${token},${user},${user},"system:masters"\n` : `${token},${user},${user}\n`,
  );
  await writeFile(tokenFile, lines.join(''), { mode: 0o600 });

  const port = await freePort();
  const server = `https://127.0.0.1:${port}`;
  const certificates = join(files, 'kube-apiserver');
  const settings = {
    'etcd-servers': etcdUrl,
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'secure-port': port,
    'cert-dir': certificates,
    'service-cluster-ip-range': '10.0.0.0/24',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': keyFile,
    'service-account-signing-key-file': keyFile,
    'token-auth-file': tokenFile,
    'authorization-mode': 'RBAC',
  };
  await start(cluster, 'kube-apiserver', settings, async () => {
    // It makes its own certificate, and is not asked before that is there.
    const ca = await readFile(join(certificates, 'apiserver.crt'), 'utf8');
    return requestOk(`${server}/readyz`, { ca, token: tokens.get(admin) ?? '' });
  });
  return server;
}

async function startController(
  cluster: Cluster,
  name: 'kube-controller-manager' | 'kube-scheduler',
  more: Settings,
): Promise<void> {
  const port = await freePort();
  const certificates = join(cluster.files, name);
  const settings = {
    kubeconfig: join(cluster.files, 'admin.kubeconfig'),
    'leader-elect': false,
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'cert-dir': certificates,
    ...more,
  };
  await start(cluster, name, settings, async () => {
    const ca = await readFile(join(certificates, `${name}.crt`), 'utf8');
    return requestOk(`https://127.0.0.1:${port}/healthz`, { ca });
  });
}

// kwok plays the kubelet: it reports nodes and the pods on them as Ready and runs nothing.
async function startNode(
  cluster: Cluster,
  call: (path: string, json?: unknown) => Promise<string>,
): Promise<void> {
  const room = { cpu: '32', memory: '256Gi', pods: '110' };
  await call('/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'kubernetes.io/hostname': nodeName, 'kubernetes.io/os': 'linux' },
    },
    status: { allocatable: room, capacity: room },
  });
  const settings = {
    kubeconfig: join(cluster.files, 'admin.kubeconfig'),
    'manage-all-nodes': true,
    cidr: '10.1.0.0/16',
    // Without leases the nodes, and with them their pods, are no longer Ready after 40 seconds.
    'node-lease-duration-seconds': 40,
  };
  await start(cluster, 'kwok', settings, async () => {
    const node = await call(`/api/v1/nodes/${nodeName}`);
    if (!isReadyNode(JSON.parse(node))) throw new Error(`the node is not Ready: ${node}`);
  });
}

/** Of a Node: its condition Ready is True, and no taint keeps pods away. */
function isReadyNode(node: {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  readonly spec?: { readonly taints?: readonly unknown[] };
}): boolean {
  const isReady = node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return isReady === true && (node.spec?.taints ?? []).length === 0;
}

async function start(
  cluster: Cluster,
  name: 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok',
  settings: Settings,
  probe: () => Promise<unknown>,
): Promise<void> {
  const command = mustLocate(name);
  const args = Object.entries(settings).map(([flag, value]) => `--${flag}=${value}`);
  cluster.running.push(await startServer({ name, command, args, directory: cluster.files, probe }));
}

async function stopCluster({ running, files }: Cluster): Promise<void> {
  // The API server would wait for etcd, and the others for the API server: last come, first gone.
  for (const server of running.toReversed()) await server.stop();
  await removeDirectory(files);
}

function kubeconfig(server: string, ca: string, user: string, token: string | undefined): string {
  if (token === undefined) throw new Error(`no token was made for the user ${user}`);
  // JSON is YAML too.
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [
      {
        name: 'test',
        cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
      },
    ],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
