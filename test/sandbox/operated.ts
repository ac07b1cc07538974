// The sandbox that a person operates: one certificate in the cluster `lab`, one that an agent brings into the
// cluster `edge`, a Deployment that uses the first, and a receiver of notices.
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { publicKeyOf } from '../../lib/certificate/statement.ts';
import { Faults } from './faults.ts';
import { type SandboxKubernetes, startKubernetes } from './kubernetes/server.ts';
import {
  bindRoles,
  credentialsOf,
  prefix,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
} from './sandbox.ts';

/** What troubles work on. */
export interface OperatedSandbox extends Sandbox {
  /** The cluster that only an agent reaches. */
  readonly edge: SandboxKubernetes;
  /** Faults of that cluster alone. */
  readonly edgeFaults: Faults;
  readonly agent: { start(): void; stop(): void };
  /** Pods of these workloads do not become ready. */
  readonly failingPods: Set<string>;
  /** Objects of the cluster `lab` as they were before anybody changed them. */
  readonly atStart: Readonly<Record<'rolebindings' | 'deployments', ReturnType<SandboxKubernetes['list']>>>;
}

const agentCluster = 'edge';
/** The only channel of notices, as `status` names it. */
export const channelName = 'webhook';
const channelSecret = `${prefix}/notify/webhook`;
const zones = ['example.com', 'example.org'];
/** Passes of the agent, in seconds. */
const agentInterval = '10';

/** Ends an agent whose sandbox was killed: nobody else would. */
const endWithParent = "data:text/javascript,process.once('disconnect',()=>process.exit())";

/** Starts everything but the agent. @param options More of the sandbox's options. */
export async function startOperatedSandbox(
  options: Pick<SandboxOptions, 'folder' | 'onLine'> = {},
): Promise<OperatedSandbox> {
  const failingPods = new Set<string>();
  const sandbox = await startSandbox({
    ...options,
    zones,
    namespaces: ['shop', 'edge'],
    agentClusters: [agentCluster],
    // As its role does where the inventory takes registrations.
    agentsList: true,
    manifests: JSON.stringify(deployment),
    areReady: (name) => !failingPods.has(name),
    certificates: [
      {
        name: 'shop',
        domains: ['shop.example.com', '*.shop.example.com'],
        issuer: 'default',
        key: 'ecdsa-p256',
        targets: [{ cluster: 'lab', namespace: 'shop', secret: 'shop-tls' }],
      },
      {
        name: 'depot',
        domains: ['depot.example.com'],
        issuer: 'default',
        targets: [{ cluster: agentCluster, namespace: 'depot', secret: 'depot-tls' }],
      },
    ],
    registration: {
      zones,
      issuer: 'default',
      targets: [{ cluster: 'lab', namespace: 'edge', secret: '{name}-tls' }],
    },
    notifications: [{ webhook: { secret: channelSecret } }],
  });
  await sandbox.keepSecrets({ [channelSecret]: sandbox.receivers.signingKey });
  const edgeFaults = new Faults();
  const manifests = await bindRoles(['depot']);
  const edge = await startKubernetes(
    { name: agentCluster, namespaces: ['depot'], manifests },
    { journal: sandbox.journal, faults: edgeFaults },
  );
  const agent = await prepareAgent(sandbox, edge);
  return {
    ...sandbox,
    edge,
    edgeFaults,
    agent,
    failingPods,
    atStart: {
      rolebindings: sandbox.kubernetes.list('rolebindings'),
      deployments: sandbox.kubernetes.list('deployments'),
    },
    async stop() {
      agent.stop();
      await edge.stop();
      await sandbox.stop();
    },
  };
}

/** The agent of infra/agent-role.yaml: its AWS secret, the key that it believes, and its process. */
async function prepareAgent(sandbox: Sandbox, edge: SandboxKubernetes) {
  const { privateKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await sandbox.keepSecrets({
    [`${prefix}/signing-key`]: privateKey,
    [`${prefix}/agents/${agentCluster}`]: '-',
  });
  const key = sandbox.secretsManager.vault.mustFind(`${prefix}/signing-key`);
  key.setTags([['certrelay:publicKey', publicKeyOf(privateKey)]]);
  const kubeconfig = join(dirname(sandbox.inventoryPath), 'kubeconfig-agent');
  await writeFile(kubeconfig, edge.kubeconfig('certrelay'), { mode: 0o600 });
  let running: ChildProcess | undefined;
  return {
    start() {
      running ??= spawn(
        process.execPath,
        ['--import', endWithParent, join(sandbox.bundles, 'agent', 'index.js')],
        {
          stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
          env: {
            ...sandbox.environment,
            ...credentialsOf(`agent-${agentCluster}`),
            CERTRELAY_CLUSTER: agentCluster,
            CERTRELAY_SIGNING_KEY: publicKeyOf(privateKey),
            CERTRELAY_KUBECONFIG: kubeconfig,
            CERTRELAY_AGENT_INTERVAL: agentInterval,
            CERTRELAY_AGENT_LONGEST_RETRY: agentInterval,
            CERTRELAY_AGENT_TIMEOUT: '30',
            CERTRELAY_AGENT_VERSION: 'sandbox',
          },
        },
      );
    },
    stop() {
      running?.kill('SIGKILL');
      running = undefined;
    },
  };
}

const labels = { app: 'web' };
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        containers: [
          { name: 'nginx', image: 'nginx', volumeMounts: [{ name: 'tls', mountPath: '/etc/tls' }] },
        ],
        volumes: [{ name: 'tls', secret: { secretName: 'shop-tls' } }],
      },
    },
  },
};
