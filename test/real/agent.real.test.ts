// The agent in a real cluster: as its service account, with the rights of infra/rbac.yaml and
// infra/agent/rbac.yaml alone.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { findBuilt } from '../built.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { credentialsOf, prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { type Kubectl, openKubectl } from './kubectl.ts';
import { type Kubernetes, startKubernetes } from './parts/kubernetes.ts';
import { kubernetesParts, missing } from './parts/locate.ts';

const absent = missing([...kubernetesParts, 'kubectl']);
const lacks = absent.length === 0 ? '' : `: run test/real/install ${absent.join(' ')}`;
const infra = resolve(import.meta.dirname, '../../infra');
const mark = 'certrelay.dev/fingerprint-shop-tls';
const secret = z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()) }) });
const status = z.object({ signingKey: z.string() });

describe.skipIf(absent.length > 0)(`an agent in a real cluster${lacks}`, () => {
  let kubernetes: Kubernetes;
  let kubectl: Kubectl;
  let sandbox: Sandbox;
  let folder: string;

  beforeAll(async () => {
    kubernetes = await startKubernetes();
    kubectl = await openKubectl(kubernetes.adminKubeconfig);
    folder = await mkdtemp(join(tmpdir(), 'certrelay-agent-'));
    await prepareCluster();
    const place = { cluster: 'edge', namespace: 'shop' };
    sandbox = await startSandbox({
      certificates: [
        {
          name: 'shop',
          domains: ['shop.example.com'],
          probe: false,
          targets: [{ ...place, secret: 'shop-tls', rollout: { deadline: '1m' } }],
        },
      ],
    });
    await sandbox.keepSecrets({ [`${prefix}/agents/edge`]: '-' });
    await sandbox.lambda.invoke('issue', {});
  });
  afterAll(async () => {
    await sandbox?.stop();
    await kubectl?.close();
    await kubernetes?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** What the README says to apply, in namespace shop, and what a pod of the agent finds mounted. */
  async function prepareCluster(): Promise<void> {
    await kubectl.run(['create', 'namespace', 'shop']);
    const rbac = await readFile(join(infra, 'rbac.yaml'), 'utf8');
    const own = await readFile(join(infra, 'agent/rbac.yaml'), 'utf8');
    await kubectl.run(['apply', '-f', '-'], rbac);
    await kubectl.run(['apply', '-f', '-'], own.replaceAll('namespace: default', 'namespace: shop'));
    const spec = { progressDeadlineSeconds: 5 };
    const volumes = [{ name: 'tls', secret: { secretName: 'shop-tls', optional: true } }];
    const { body } = workloadOf('Deployment', 'shop', { name: 'web', pod: { volumes }, spec });
    await kubectl.run(
      ['apply', '-f', '-'],
      JSON.stringify({ ...body, metadata: { ...body.metadata, namespace: 'shop' } }),
    );
    await kubectl.run(['rollout', 'status', 'deployment/web', '-n', 'shop', '--timeout=60s']);
    await writeFile(
      join(folder, 'token'),
      await kubectl.run(['create', 'token', 'certrelay-agent', '-n', 'certrelay']),
    );
    await writeFile(join(folder, 'ca.crt'), await readFile(kubernetes.caFile));
  }

  async function runAgent(): Promise<void> {
    const bundle = join((await findBuilt('bundles')) ?? '', 'agent', 'index.js');
    const { signingKey } = status.parse((await sandbox.lambda.invoke('status', {})).answer);
    const { hostname, port } = new URL(kubernetes.server);
    await promisify(execFile)(process.execPath, [bundle], {
      env: {
        ...sandbox.environment,
        ...credentialsOf('agent-edge'),
        KUBERNETES_SERVICE_HOST: hostname,
        KUBERNETES_SERVICE_PORT: port,
        CERTRELAY_CLUSTER: 'edge',
        CERTRELAY_SIGNING_KEY: signingKey,
        CERTRELAY_SERVICE_ACCOUNT: folder,
      },
    });
  }
  /** As an admission policy of the cluster's owner might: of `web`, only pods with this certificate are let
   *  in. */
  async function refusePods(good: string): Promise<void> {
    const apiVersion = 'admissionregistration.k8s.io/v1';
    const metadata = { name: 'refuse' };
    const pods = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
    const expression = `object.metadata.?annotations.orValue({})[?'${mark}'].orValue('') == '${good}'`;
    const spec = { matchConstraints: { resourceRules: [pods] }, validations: [{ expression }] };
    const policy = { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata, spec };
    const bound = { policyName: 'refuse', validationActions: ['Deny'] };
    const binding = { apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata, spec: bound };
    await kubectl.run(['apply', '-f', '-'], JSON.stringify(policy));
    await kubectl.run(['apply', '-f', '-'], JSON.stringify(binding));
    const probe = ['run', 'probe', '-n', 'shop', '--image=registry.invalid/x:1', '--dry-run=server'];
    // The server takes a moment to see a policy.
    const run = () =>
      kubectl.run(probe).then(
        () => 'let in',
        () => 'refused',
      );
    await expect.poll(run).toBe('refused');
  }
  const markNow = async () => {
    const path = `{.spec.template.metadata.annotations.${mark.replaceAll('.', '\\.')}}`;
    return kubectl.run(['get', 'deployment', 'web', '-n', 'shop', '-o', `jsonpath=${path}`]);
  };
  const secretNow = () => kubectl.run(['get', 'secret', 'shop-tls', '-n', 'shop', '-o', 'json']);

  test('W01 W04 signs in as its pod, writes the Secret and has the Deployment rolled to its end', async () => {
    await runAgent();
    expect(JSON.parse(await secretNow())).toMatchObject({
      type: 'kubernetes.io/tls',
      metadata: {
        annotations: { 'certrelay.dev/certificate': 'shop', 'certrelay.dev/statement': expect.any(String) },
      },
    });
    const deployment = JSON.parse(
      await kubectl.run(['get', 'deployment', 'web', '-n', 'shop', '-o', 'json']),
    );
    expect(deployment.metadata.generation).toBe(2);
    expect(deployment.status).toMatchObject({
      observedGeneration: 2,
      updatedReplicas: deployment.spec.replicas,
    });
    expect((await sandbox.lambda.invoke('status', {})).answer).toMatchObject({
      agents: [{}, { name: 'edge', health: 'Healthy' }],
      certificates: [{ health: 'Healthy', targets: [{ target: 'edge/shop/shop-tls', health: 'Healthy' }] }],
    });
  });

  test('a second pass changes nothing', async () => {
    const before = await secretNow();
    await runAgent();
    expect(await secretNow()).toBe(before);
  });

  test('D13 what the cluster refuses to run is taken back, and no later pass tries it again', async () => {
    const versionNow = async () =>
      secret.parse(JSON.parse(await secretNow())).metadata.annotations['certrelay.dev/version'];
    const [first, good] = [await versionNow(), await markNow()];
    await refusePods(good);
    await sandbox.lambda.invoke('issue', { certificates: ['shop'], force: true });
    await expect(runAgent()).rejects.toThrow(
      /delivery rolled back.*Deployment web in shop does not roll out/,
    );
    expect(await versionNow()).toBe(first);
    expect(await markNow()).toBe(good);
    const before = await secretNow();
    await runAgent();
    expect(await secretNow()).toBe(before);
    expect((await sandbox.lambda.invoke('status', {})).answer).toMatchObject({
      certificates: [
        {
          health: 'Degraded',
          message: expect.stringContaining(
            'it failed at edge/shop/shop-tls and was taken back: Deployment web',
          ),
        },
      ],
    });
  });

  test.each([
    'deployment.yaml',
    'cronjob.yaml',
    'config.yaml',
  ])('%s is what an API server takes', async (file) => {
    const manifest = await readFile(join(infra, 'agent', file), 'utf8');
    await kubectl.run(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], manifest);
  });

  test('its service account may do nothing in a namespace that is not bound', async () => {
    const subject = '--as=system:serviceaccount:certrelay:certrelay-agent';
    const may = (verb: string, namespace: string) =>
      kubectl.run(['auth', 'can-i', verb, 'secrets', '-n', namespace, subject]).catch(() => 'no');
    expect((await may('patch', 'shop')).trim()).toBe('yes');
    expect(await Promise.all(['get', 'patch', 'create'].map((verb) => may(verb, 'kube-system')))).toEqual([
      'no',
      'no',
      'no',
    ]);
    expect(await may('delete', 'shop')).toBe('no');
  });
});
