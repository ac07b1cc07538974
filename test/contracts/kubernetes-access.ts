// What Certrelay relies on in signing in and in RBAC, and how it words what is missing.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { mintServingCertificate } from '../sandbox/tls.ts';
import { type Harness, manifestOf } from './kubernetes-harness.ts';
import { workloadOf } from './kubernetes-workloads.ts';

const first = { manager: 'certrelay' } as const;
const rbacPath = '/apis/rbac.authorization.k8s.io/v1';

export function promiseAccess(harness: () => Harness): void {
  const bind = async (namespace: string, name: string, rules?: readonly object[]) => {
    const { admin } = harness();
    const apiGroup = 'rbac.authorization.k8s.io';
    const meta = { apiVersion: `${apiGroup}/v1`, metadata: { name } };
    if (rules)
      await admin.create(`${rbacPath}/namespaces/${namespace}/roles`, { ...meta, kind: 'Role', rules });
    await admin.create(`${rbacPath}/namespaces/${namespace}/rolebindings`, {
      ...meta,
      kind: 'RoleBinding',
      roleRef: { apiGroup, kind: rules ? 'Role' : 'ClusterRole', name },
      subjects: [{ apiGroup, kind: 'User', name: 'certrelay' }],
    });
  };
  /** A real server takes a moment to see a binding. */
  const eventually = (call: () => Promise<unknown>) =>
    expect
      .poll(() =>
        call().then(
          () => 'allowed',
          (error: Error) => error.message,
        ),
      )
      .toBe('allowed');

  test('a token the server does not know is SignInFailed', async () => {
    const { subject, connect, signal } = harness();
    const kubeconfig = subject.kubeconfig('admin').replace(/("?token"?: "?)[0-9a-f]+/, '$1wrong');
    const cluster = connect(kubeconfig);
    await expect(cluster.readSecret('default', 'web', signal())).rejects.toMatchObject({
      code: 'SignInFailed',
      message: expect.stringMatching(/does not accept the credentials/),
    });
    await cluster.close();
  });

  test('a server whose certificate is of another authority is Unreachable, and the message says what to correct', async () => {
    const { subject, connect, signal } = harness();
    const { ca } = await mintServingCertificate('stranger');
    const data = Buffer.from(ca).toString('base64');
    const kubeconfig = subject
      .kubeconfig('admin')
      .replace(/("?certificate-authority-data"?: "?)[A-Za-z0-9+/=]+/, `$1${data}`);
    const cluster = connect(kubeconfig);
    await expect(cluster.readSecret('default', 'web', signal())).rejects.toMatchObject({
      code: 'Unreachable',
      message: expect.stringMatching(/does not fit the authority or the server name in the kubeconfig/),
    });
    await cluster.close();
  });

  test('a user without a role is Forbidden everything, with verb, resource and namespace named', async () => {
    const { restricted, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const deployment = { kind: 'Deployment', name: 'web' } as const;
    const mark = { template: { a: 'b' }, own: {} };
    for (const [call, verb, resource] of [
      [() => restricted.readSecret(namespace, 'web', signal()), 'get', 'secrets'],
      [() => restricted.applySecret(manifestOf(namespace, {}), first, signal()), 'patch', 'secrets'],
      [() => restricted.listWorkloads(namespace, 'StatefulSet', signal()), 'list', 'statefulsets'],
      [() => restricted.restartWorkload(namespace, deployment, mark, signal()), 'patch', 'deployments'],
    ] as const) {
      await expect(call()).rejects.toMatchObject({
        code: 'Forbidden',
        message: expect.stringContaining(
          `user "certrelay" may not; add verb "${verb}" on "${resource}" to the role that is bound to it in namespace ${namespace}`,
        ),
      });
    }
  });

  test('an apply that would make the Secret needs create too, and says so', async () => {
    const { restricted, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    await bind(namespace, 'patcher', [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'patch'] }]);
    await eventually(() => restricted.readSecret(namespace, 'web', signal()));
    await expect(restricted.applySecret(manifestOf(namespace, {}), first, signal())).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining('add verb "create" on "secrets"'),
    });
  });

  test('a role that names a Secret lets it be made by server-side apply, and no other', async () => {
    const { restricted, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const verbs = ['get', 'patch', 'create', 'delete'];
    await bind(namespace, 'named', [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['web'], verbs },
    ]);
    await eventually(() => restricted.readSecret(namespace, 'web', signal()));
    const made = await restricted.applySecret(manifestOf(namespace, { a: '1' }), first, signal());
    const other = { ...manifestOf(namespace, { a: '1' }), name: 'other' };
    const forbidden = { code: 'Forbidden' };
    await expect(restricted.applySecret(other, first, signal())).rejects.toMatchObject(forbidden);
    await expect(restricted.readSecret(namespace, 'other', signal())).rejects.toMatchObject(forbidden);
    await expect(restricted.listSecrets(namespace, signal())).rejects.toMatchObject(forbidden);
    await restricted.deleteSecret(namespace, 'web', made, signal());
    expect(await restricted.readSecret(namespace, 'web', signal())).toBeUndefined();
  });

  test('K43 D10 infra/rbac.yaml allows all that deploying needs in a bound namespace, and nothing in another', async () => {
    const { admin, restricted, newNamespace, signal } = harness();
    const [namespace, other] = [await newNamespace(), await newNamespace()];
    const source = await readFile(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8');
    for (const document of parseAllDocuments(source)) {
      const object: { readonly kind: string } = document.toJS();
      await admin.create(`${rbacPath}/clusterroles`, object);
    }
    await bind(namespace, 'certrelay');
    await eventually(() => restricted.readSecret(namespace, 'web', signal()));

    const made = await restricted.applySecret(manifestOf(namespace, { a: '1' }), first, signal());
    const over = await restricted.applySecret(
      manifestOf(namespace, { a: '2' }),
      { ...first, over: made },
      signal(),
    );
    const mark = { template: { 'certrelay.dev/fingerprint-web': 'b' }, own: {} };
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet'] as const) {
      const { path, body } = workloadOf(kind, namespace);
      await admin.create(path, body);
      await restricted.restartWorkload(namespace, { kind, name: 'web' }, mark, signal());
      expect(await restricted.listWorkloads(namespace, kind, signal())).toHaveLength(1);
    }
    const forbidden = { code: 'Forbidden' };
    await expect(restricted.deleteSecret(namespace, 'web', over, signal())).rejects.toMatchObject(forbidden);
    await expect(restricted.readSecret(other, 'web', signal())).rejects.toMatchObject(forbidden);
    await expect(restricted.listSecrets(namespace, signal())).rejects.toMatchObject(forbidden);
    await bind(namespace, 'certrelay-list');
    await eventually(() => restricted.listSecrets(namespace, signal()));
    await bind(namespace, 'certrelay-replace');
    await eventually(() => restricted.deleteSecret(namespace, 'web', over, signal()));
  });
}
