// The main job with a real CA and a real cluster, under the rights of infra/rbac.yaml alone, up to what a
// real nginx serves.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { postDomains } from '../sandbox/webhook-call.ts';
import { type RealAuthority, startPebbleForSandbox } from './authorities.ts';
import { servedFingerprint, shakeHands } from './handshake.ts';
import { type Kubectl, openKubectl } from './kubectl.ts';
import { type Kubernetes, startKubernetes } from './parts/kubernetes.ts';
import { kubernetesParts, missing } from './parts/locate.ts';
import { type Nginx, startNginx } from './parts/nginx.ts';

const absent = missing([...kubernetesParts, 'kubectl', 'pebble', 'nginx']);
const lacks = absent.length === 0 ? '' : `: run test/real/install ${absent.join(' ')}`;

const secretObject = z.object({
  metadata: z.object({ resourceVersion: z.string(), annotations: z.record(z.string(), z.string()) }),
  data: z.record(z.string(), z.string()),
});
const deploymentObject = z.object({
  metadata: z.object({ resourceVersion: z.string(), generation: z.number() }),
  spec: z.object({
    template: z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()).optional() }) }),
  }),
  status: z.object({
    observedGeneration: z.number(),
    replicas: z.number(),
    updatedReplicas: z.number(),
    availableReplicas: z.number(),
  }),
});

describe.skipIf(absent.length > 0)(`the main job with Pebble, Kubernetes and nginx${lacks}`, () => {
  let authority: RealAuthority;
  let kubernetes: Kubernetes;
  let kubectl: Kubectl;
  let sandbox: Sandbox;

  beforeAll(async () => {
    [authority, kubernetes] = await Promise.all([startPebbleForSandbox(), startKubernetes()]);
    kubectl = await openKubectl(kubernetes.adminKubeconfig);
    await prepareCluster(kubectl);
    const { domain, dnsPort } = authority;
    const target = { cluster: 'lab', namespace: 'edge', secret: '{name}-certs', format: 'nginx-ssl-proxy' };
    sandbox = await startSandbox({
      realAuthority: authority,
      realKubeconfig: kubernetes.kubeconfigFor('certrelay'),
      dnsPort,
      zones: [domain],
      // An RSA key, so that a handshake can use the dhparam that is delivered with it.
      registration: { zones: [domain], issuer: 'default', key: 'rsa-2048', targets: [target] },
    });
  });
  afterAll(async () => {
    await sandbox?.stop();
    await kubectl?.close();
    await Promise.all([kubernetes?.stop(), authority?.stop()]);
  });

  const secretNow = async () =>
    secretObject.parse(JSON.parse(await kubectl.run(['get', 'secret', 'proxy-certs', ...inEdge])));
  const deploymentNow = async () =>
    deploymentObject.parse(JSON.parse(await kubectl.run(['get', 'deployment', 'proxy', ...inEdge])));

  test('a registered domain is delivered, and its Deployment of three rolled by the cluster itself', async () => {
    const { domain } = authority;
    const body = { name: 'proxy', domains: [domain, `*.${domain}`] };
    expect(await postDomains(sandbox.httpApi, body, sandbox.webhookSecret)).toMatchObject({ status: 202 });
    await sandbox.queues.issue.untilEmpty();
    await sandbox.queues.deploy.untilEmpty();

    const { metadata, spec, status } = await deploymentNow();
    expect({ generation: metadata.generation, ...status }).toMatchObject({
      generation: 2,
      observedGeneration: 2,
      replicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
    });
    const fingerprint = (await secretNow()).metadata.annotations['certrelay.dev/fingerprint'];
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.values(spec.template.metadata.annotations ?? {})).toContain(fingerprint);
    const sets = await kubectl.run([
      'get',
      'replicasets',
      '-n',
      'edge',
      '-o',
      'jsonpath={.items[*].spec.replicas}',
    ]);
    expect(sets.split(' ').toSorted()).toEqual(['0', '3']);
  });

  test('the same event once more, and a reconcile, patch nothing in the cluster', async () => {
    const before = [await secretNow(), await deploymentNow()];
    const event = sandbox.events.findLast((text) => text.includes('Secret Label Updated'));
    expect((await sandbox.lambda.invoke('deploy', JSON.parse(event ?? ''))).answer).toEqual({
      batchItemFailures: [],
    });
    expect((await sandbox.lambda.invoke('deploy', {})).answer).toMatchObject({
      certificates: [{ name: 'proxy', decision: 'unchanged' }],
    });
    expect([await secretNow(), await deploymentNow()]).toEqual(before);
  });

  test('a namespace without the RoleBinding is refused with verb and resource, and orders nothing again', async () => {
    await sandbox.setCertificates([
      {
        name: 'stray',
        domains: [`stray.${authority.domain}`],
        targets: [{ cluster: 'lab', namespace: 'unbound', secret: 'stray-tls' }],
      },
    ]);
    await sandbox.lambda.invoke('issue', { certificates: ['stray'] });
    const { error } = await sandbox.lambda.invoke('deploy', { certificates: ['stray'] });
    expect(error).toMatchObject({ errorType: 'AggregateError' });
    expect(error?.errorMessage).toContain(
      'user "certrelay" may not; add verb "get" on "secrets" to the role that is bound to it in namespace unbound',
    );
    expect((await sandbox.lambda.invoke('issue', {})).answer).toMatchObject({
      summary: { certificates: 2, keep: 2 },
    });
  });

  describe('a proxy that mounts the Secret', () => {
    let nginx: Nginx;
    let delivered: z.output<typeof secretObject>;

    beforeAll(async () => {
      delivered = await secretNow();
      const mounted = Object.entries(delivered.data).map(([key, value]) => {
        return [`secrets/${key}`, Buffer.from(value, 'base64')] as const;
      });
      nginx = await startNginx({
        files: Object.fromEntries(mounted),
        config: (port) => proxyConfiguration(port, authority.domain),
      });
    });
    afterAll(() => nginx?.stop());

    const visit = (name: string) => ({ port: nginx.port, name, roots: authority.roots });

    test('serves the delivered leaf, and its chain leads to the root of the CA', async () => {
      expect(Object.keys(delivered.data).toSorted()).toEqual(['dhparam', 'proxycert', 'proxykey']);
      expect(await servedFingerprint(visit(authority.domain))).toBe(
        delivered.metadata.annotations['certrelay.dev/fingerprint'],
      );
      const socket = await shakeHands(visit(authority.domain));
      expect(await answerOf(socket, authority.domain)).toContain('HTTP/1.1 200 OK');
    });

    test('agrees on keys in the delivered group of 2048 bits with an old client', async () => {
      const old = { maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES128-GCM-SHA256' } as const;
      const socket = await shakeHands({ ...visit(authority.domain), ...old });
      expect(socket.getEphemeralKeyInfo()).toMatchObject({ type: 'DH', size: 2048 });
      socket.destroy();
    });

    test('N07 shows the certificate to a name it does not serve, and then closes without an answer', async () => {
      const name = `unknown.${authority.domain}`;
      expect(await servedFingerprint(visit(name))).toBe(
        delivered.metadata.annotations['certrelay.dev/fingerprint'],
      );
      expect(await answerOf(await shakeHands(visit(name)), name)).toBe('');
    });
  });
});

const inEdge = ['-n', 'edge', '-o', 'json'] as const;

/** As an operator does it: infra/rbac.yaml, and its role bound in the one namespace that targets name. */
async function prepareCluster(kubectl: Kubectl): Promise<void> {
  await kubectl.run(
    ['apply', '-f', '-'],
    await readFile(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8'),
  );
  for (const namespace of ['edge', 'unbound']) await kubectl.run(['create', 'namespace', namespace]);
  const binding = ['rolebinding', 'certrelay', '--clusterrole=certrelay', '--user=certrelay'];
  await kubectl.run(['create', ...binding, '-n', 'edge']);
  const volumes = [{ name: 'certs', secret: { secretName: 'proxy-certs' } }];
  const { body } = workloadOf('Deployment', 'edge', {
    name: 'proxy',
    pod: { volumes },
    spec: { replicas: 3 },
  });
  await kubectl.run(['apply', '-n', 'edge', '-f', '-'], JSON.stringify(body));
  await kubectl.run(['rollout', 'status', 'deployment/proxy', '-n', 'edge', '--timeout=60s']);
}

/** The three files where nginx-ssl-proxy has them; hosts other than its own get 444. */
function proxyConfiguration(port: number, host: string): string {
  return `
  ssl_certificate secrets/proxycert;
  ssl_certificate_key secrets/proxykey;
  ssl_dhparam secrets/dhparam;
  ssl_protocols TLSv1.2 TLSv1.3;
  server { listen 127.0.0.1:${port} ssl default_server; return 444; }
  server { listen 127.0.0.1:${port} ssl; server_name ${host}; return 200 "served\\n"; }`;
}

/** All that comes back for a request until the server closes. */
async function answerOf(socket: Awaited<ReturnType<typeof shakeHands>>, host: string): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const [answer] = await Promise.all([buffer(socket), once(socket, 'close')]);
  return answer.toString();
}
