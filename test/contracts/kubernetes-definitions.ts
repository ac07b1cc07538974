// What Certrelay relies on in kinds that a cluster knows by a definition: Rollouts of Argo, and who may ask
// for a kind at all.
import { expect, test } from 'vitest';
import type { Harness } from './kubernetes-harness.ts';
import {
  argoDefinition,
  argoRolloutOf,
  createDefined,
  definitionOf,
  definitionsPath,
  gatewayGroup,
  grantDefinition,
  grantOf,
  listenerSetDefinition,
  listenerSetOf,
  removeDefinition,
} from './kubernetes-kinds.ts';

export function promiseDefinitions(harness: () => Harness): void {
  test('P09 a Rollout of Argo that uses a Secret is found from its definition on; one whose pods another object describes uses none', async () => {
    const { admin, cluster, restricted, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    await expect(cluster.listWorkloads(namespace, 'Rollout', signal())).rejects.toMatchObject({
      code: 'NotFound',
    });
    await expect(restricted.listWorkloads(namespace, 'Rollout', signal())).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining('add verb "list" on "rollouts"'),
    });
    const path = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/rollouts`;
    const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
    const referring = { ...argoRolloutOf(namespace, 'referring', 'tls'), spec: { workloadRef } };
    await createDefined(
      admin,
      [argoDefinition],
      [
        [path, argoRolloutOf(namespace, 'web', 'tls')],
        [path, referring],
      ],
    );
    expect(await cluster.listWorkloads(namespace, 'Rollout', signal())).toMatchObject([
      { kind: 'Rollout', name: 'referring', secrets: [], fixed: [] },
      { kind: 'Rollout', name: 'web', secrets: ['tls'], fixed: [], generation: 1, pods: 1 },
    ]);
    const apiVersion = 'argoproj.io/v1alpha1';
    const item = { apiVersion, kind: 'Rollout' };
    expect(await admin.get(path)).toMatchObject({ apiVersion, kind: 'RolloutList', items: [item, item] });
  });

  test('a Rollout is restarted by an instant, and keeps its template and everything else', async () => {
    const { admin, cluster, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const path = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/rollouts`;
    await removeDefinition(admin, argoDefinition);
    await createDefined(admin, [argoDefinition], [[path, argoRolloutOf(namespace, 'web', 'tls')]]);
    const before = await admin.get(`${path}/web`);
    const restartAt = new Date('2026-11-22T10:00:01Z');
    const own = { 'certrelay.dev/fingerprint-tls': 'abc' };
    const reference = { kind: 'Rollout', name: 'web' } as const;
    const restart = () =>
      cluster.restartWorkload(namespace, reference, { template: {}, own, restartAt }, signal());
    expect(await restart()).toMatchObject({ ownAnnotations: own, restartAt, generation: 2 });
    const after = await admin.get(`${path}/web`);
    expect(after.spec).toEqual(Object.assign({}, before.spec, { restartAt: '2026-11-22T10:00:01Z' }));
    expect(await restart()).toMatchObject({ generation: 2 });
    expect((await admin.get(`${path}/web`)).metadata.resourceVersion).toBe(after.metadata.resourceVersion);
  });

  test.for([
    'v1beta1',
    'v1',
  ])('what a ReferenceGrant lets take Secrets is found from its definition on, as %s', async (version) => {
    const { admin, cluster, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const list = () => cluster.listGrantedSources(namespace, signal());
    await removeDefinition(admin, grantDefinition);
    expect(await list()).toEqual([]);
    const grants = [
      grantOf(namespace, 'front'),
      grantOf(namespace, 'sets', { from: 'ListenerSet' }),
      grantOf(namespace, 'sets', { from: 'ListenerSet', name: 'again' }),
      grantOf(namespace, namespace),
      grantOf(namespace, 'routes', { from: 'HTTPRoute' }),
      grantOf(namespace, 'services', { to: 'Service' }),
    ];
    const apiVersion = `${gatewayGroup}/${version}`;
    const path = `/apis/${apiVersion}/namespaces/${namespace}/referencegrants`;
    await createDefined(
      admin,
      [definitionOf(gatewayGroup, 'ReferenceGrant', version)],
      grants.map((grant) => [path, { ...grant, apiVersion }] as const),
    );
    const found = await list();
    expect(found).toHaveLength(2);
    expect(found).toEqual(
      expect.arrayContaining([
        { kind: 'Gateway', namespace: 'front' },
        { kind: 'ListenerSet', namespace: 'sets' },
      ]),
    );
  });

  test('a kind that may not be listed is Forbidden only on a server that has it', async () => {
    const { admin, restricted, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const list = () => restricted.listTlsObjects(namespace, ['ListenerSet'], signal());
    await removeDefinition(admin, listenerSetDefinition);
    await expect.poll(() => list().catch(() => undefined)).toEqual([]);
    const path = `/apis/${gatewayGroup}/v1/namespaces/${namespace}/listenersets`;
    await createDefined(
      admin,
      [listenerSetDefinition],
      [[path, listenerSetOf(namespace, 'web', { name: 'tls' })]],
    );
    await expect(list()).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining('add verb "list" on "listenersets" to the role'),
    });
  });

  const plain = definitionOf('example.com', 'Thing');
  test.for<[string, object, RegExp]>([
    ['under another name', { ...plain, metadata: { name: 'thing.example.com' } }, /422.*metadata\.name/],
    [
      'of a group of Kubernetes that nobody has approved',
      { ...definitionOf('certs.k8s.io', 'Thing'), metadata: { name: 'things.certs.k8s.io' } },
      /422.*api-approved\.kubernetes\.io/,
    ],
    ['without a schema', withoutSchema('Other'), /422.*schema/],
  ])('a definition %s is refused', async ([, definition, refusal]) => {
    await expect(harness().admin.create(definitionsPath, definition)).rejects.toThrow(refusal);
  });
}

function withoutSchema(kind: string): object {
  const definition = definitionOf('example.com', kind);
  const versions = [{ name: 'v1', served: true, storage: true }];
  return { ...definition, spec: { ...definition.spec, versions } };
}
