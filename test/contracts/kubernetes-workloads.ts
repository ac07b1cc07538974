// What Certrelay relies on in Deployments, StatefulSets and DaemonSets: use of Secrets, marks, rollouts.
import { expect, test } from 'vitest';
import { type AppsKind, appsKinds } from '../../lib/certificate/rollout-spec.ts';
import type { Rollout } from '../../lib/policy/kubernetes/objects.ts';
import type { Harness } from './kubernetes-harness.ts';

interface Shape {
  readonly name?: string;
  readonly spec?: object;
  readonly pod?: object;
}

/** Path and body of a workload with two containers. */
export function workloadOf(kind: AppsKind, namespace: string, { name = 'web', spec, pod }: Shape = {}) {
  const labels = { app: name };
  const container = { name: 'main', image: 'registry.invalid/main:1' };
  const containers = [container, { ...container, name: 'side', env: [{ name: 'A', value: '1' }] }];
  return {
    path: `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s`,
    body: {
      apiVersion: 'apps/v1',
      kind,
      metadata: { name },
      spec: {
        ...(kind === 'DaemonSet' ? {} : { replicas: 2 }),
        ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers, ...pod } },
        ...spec,
      },
    },
  };
}

/** Volumes of drivers that sign in with a Secret. */
const storage = [
  { azureFile: { secretName: 'azure', shareName: 'a' } },
  { cephfs: { monitors: ['a'], secretRef: { name: 'ceph' } } },
  { flexVolume: { driver: 'example.com/a', secretRef: { name: 'flex' } } },
  {
    iscsi: {
      targetPortal: '192.0.2.1',
      iqn: 'iqn.2026-11.com.example:a',
      lun: 0,
      secretRef: { name: 'iscsi' },
    },
  },
  { rbd: { monitors: ['a'], image: 'a', secretRef: { name: 'rbd' } } },
  { scaleIO: { gateway: 'https://192.0.2.1', system: 'a', volumeName: 'a', secretRef: { name: 'scale' } } },
].map((volume, index) => ({ name: `v-${index}`, ...volume }));

const onDelete = { updateStrategy: { type: 'OnDelete', rollingUpdate: null } };

const mark = (value: string) => ({ template: { 'certrelay.dev/fingerprint-web-tls': value }, own: {} });

export function promiseWorkloads(harness: () => Harness): void {
  const create = async (kind: AppsKind, namespace: string, shape?: Shape) => {
    const { path, body } = workloadOf(kind, namespace, shape);
    await harness().admin.create(path, body);
  };
  const find = async (kind: AppsKind, namespace: string, name = 'web') => {
    const list = await harness().cluster.listWorkloads(namespace, kind, harness().signal());
    return list.find((workload) => workload.name === name);
  };
  const eventually = (kind: AppsKind, namespace: string, state: Rollout['state']) =>
    expect.poll(async () => (await find(kind, namespace))?.rollout.state).toBe(state);

  test('every way in which pods use a Secret is found, and nothing that is no use', async () => {
    const { newNamespace } = harness();
    const namespace = await newNamespace();
    const image = 'registry.invalid/x:1';
    await create('Deployment', namespace, {
      pod: {
        imagePullSecrets: [{ name: 'pull' }],
        volumes: [
          { name: 'a', secret: { secretName: 'volume' } },
          {
            name: 'b',
            projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'map' } }] },
          },
          { name: 'c', configMap: { name: 'map' } },
          {
            name: 'd',
            csi: {
              driver: 'secrets-store.csi.k8s.io',
              readOnly: true,
              volumeAttributes: { secretProviderClass: 'csi' },
              nodePublishSecretRef: { name: 'csi-login' },
            },
          },
          { name: 'e', secret: { secretName: 'file' } },
          { name: 'f', secret: { secretName: 'early' } },
          { name: 'g', secret: { secretName: 'sidecar' } },
        ],
        containers: [
          {
            name: 'main',
            image,
            env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'env', key: 'a' } } }],
            envFrom: [{ secretRef: { name: 'env-from' } }, { configMapRef: { name: 'map' } }],
            volumeMounts: [
              { name: 'a', mountPath: '/a' },
              { name: 'b', mountPath: '/b' },
              { name: 'e', mountPath: '/e/tls.crt', subPath: 'tls.crt' },
              { name: 'f', mountPath: '/f' },
            ],
          },
        ],
        initContainers: [
          {
            name: 'init',
            image,
            envFrom: [{ secretRef: { name: 'init' } }],
            volumeMounts: [{ name: 'f', mountPath: '/f' }],
          },
          { name: 'proxy', image, restartPolicy: 'Always', volumeMounts: [{ name: 'g', mountPath: '/g' }] },
        ],
      },
    });
    await create('Deployment', namespace, { name: 'plain' });
    const fixed = ['csi-login', 'early', 'env', 'env-from', 'file', 'init'];
    expect(await find('Deployment', namespace)).toMatchObject({
      secrets: [...fixed, 'projected', 'sidecar', 'volume'],
      fixed,
    });
    expect(await find('Deployment', namespace, 'plain')).toMatchObject({ secrets: [], fixed: [] });
  });

  test('P09 what cannot be rolled is found with its owner, whatever kind that is, and pods with one owner once', async () => {
    const { admin, cluster, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const container = { name: 'main', image: 'registry.invalid/x:1' };
    const pod = { containers: [{ ...container, envFrom: [{ secretRef: { name: 'tls' } }] }] };
    const labels = { app: 'old' };
    const template = { metadata: { labels }, spec: pod };
    const make = (path: string, kind: string, spec: object, more: object = {}) =>
      admin.create(`${path}/namespaces/${namespace}/${kind.toLowerCase()}s`, {
        apiVersion: path.replace(/^\/apis?\//, ''),
        kind,
        metadata: { name: 'old', ...more },
        spec,
      });
    // No server knows these kinds, so no garbage collector looks for the owners.
    const reference = { apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka', name: 'events', uid: 'u' };
    const first = { ...reference, apiVersion: 'example.com/v1', kind: 'Thing' };
    const owned = (name: string) => ({
      name,
      ownerReferences: [first, { ...reference, uid: 'v', controller: true }],
    });
    const owner = { group: 'kafka.strimzi.io', kind: 'Kafka', name: 'events' };
    const uses = { secrets: ['tls'], fixed: ['tls'] };
    const found = (kind: string) => [
      { kind, name: 'old', ...uses },
      { kind, name: 'owned', owner, ...uses },
    ];
    const job = { template: { spec: { ...pod, restartPolicy: 'Never' } } };
    for (const [path, kind, spec] of [
      ['/api/v1', 'ReplicationController', { replicas: 0, selector: labels, template }],
      ['/apis/apps/v1', 'ReplicaSet', { replicas: 0, selector: { matchLabels: labels }, template }],
      ['/apis/batch/v1', 'CronJob', { schedule: '0 0 1 1 *', jobTemplate: { spec: job } }],
    ] as const) {
      await make(path, kind, spec);
      await make(path, kind, spec, owned('owned'));
      expect(await cluster.listOthers(namespace, kind, signal()), kind).toEqual(found(kind));
    }

    await make('/api/v1', 'Pod', pod);
    for (const name of ['owned', 'owned-2']) await make('/api/v1', 'Pod', pod, owned(name));
    await make('/api/v1', 'Pod', { containers: [container] }, { name: 'plain' });
    const impossible = { ...reference, name: 'a; reboot' };
    await make('/api/v1', 'Pod', pod, { name: 'strange', ownerReferences: [impossible] });
    await make(
      '/api/v1',
      'Pod',
      {
        containers: [
          { ...container, command: ['/run', '--secret', 'ns/split', 'a/b', '--map=$(NS)/map'] },
          { ...container, name: 'side', args: ['--default-ssl-certificate=$(POD_NAMESPACE)/default'] },
        ],
        imagePullSecrets: [{ name: 'registry' }],
        volumes: storage,
      },
      { name: 'using-others' },
    );
    expect(await cluster.listOthers(namespace, 'Pod', signal())).toEqual([
      ...found('Pod'),
      { kind: 'Pod', name: 'strange', ...uses },
      {
        kind: 'Pod',
        name: 'using-others',
        secrets: [],
        fixed: [],
        mentioned: ['azure', 'ceph', 'default', 'flex', 'iscsi', 'rbd', 'registry', 'scale', 'split'],
      },
    ]);
  });

  test('a workload refuses to be restarted by an annotation of its own or of its pods', async () => {
    const { admin, newNamespace } = harness();
    const namespace = await newNamespace();
    const refusal = { annotations: { 'certrelay.dev/restart': 'false' } };
    const { path, body } = workloadOf('Deployment', namespace, { name: 'own' });
    await admin.create(path, { ...body, metadata: { ...body.metadata, ...refusal } });
    const pods = workloadOf('Deployment', namespace, { name: 'pods' }).body;
    const metadata = { ...pods.spec.template.metadata, ...refusal };
    await admin.create(path, {
      ...pods,
      spec: { ...pods.spec, template: { ...pods.spec.template, metadata } },
    });
    await create('Deployment', namespace, { name: 'plain' });
    for (const [name, refusesRestart] of [
      ['own', true],
      ['pods', true],
      ['plain', false],
    ] as const) {
      expect(await find('Deployment', namespace, name), name).toMatchObject({ refusesRestart });
    }
  });

  test.for(
    appsKinds,
  )('a %s that is marked rolls out, and the same mark again changes nothing', async (kind) => {
    const { cluster, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    await create(kind, namespace);
    await eventually(kind, namespace, 'complete');
    const before = await find(kind, namespace);

    const marked = await cluster.restartWorkload(namespace, { kind, name: 'web' }, mark('aa'), signal());
    expect(marked.generation).toBe((before?.generation ?? 0) + 1);
    expect(marked.rollout.state).toBe('progressing');
    expect(marked.annotations).toEqual({ 'certrelay.dev/fingerprint-web-tls': 'aa' });
    await eventually(kind, namespace, 'complete');
    const again = await cluster.restartWorkload(namespace, { kind, name: 'web' }, mark('aa'), signal());
    expect(again.generation).toBe(marked.generation);
    expect(again.rollout.state).toBe('complete');
  });

  test('P10 the env strategy sets LETSENCRYPT_CERT_REFRESH on the first container and touches nothing else', async () => {
    const { cluster, admin, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    await create('Deployment', namespace);
    const env = { template: {}, env: { container: 'main', value: 'aa' }, own: {} };
    const marked = await cluster.restartWorkload(
      namespace,
      { kind: 'Deployment', name: 'web' },
      env,
      signal(),
    );
    expect(marked).toMatchObject({ container: 'main', refresh: 'aa', annotations: {} });
    const stored = await admin.get(`/apis/apps/v1/namespaces/${namespace}/deployments/web`);
    expect(stored).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'main',
                image: 'registry.invalid/main:1',
                env: [{ name: 'LETSENCRYPT_CERT_REFRESH', value: 'aa' }],
              },
              { name: 'side', env: [{ name: 'A', value: '1' }] },
            ],
          },
        },
      },
    });
  });

  test('a rollout whose pods cannot run is progressing, then failed once its deadline is exceeded', async () => {
    const { cluster, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    await create('Deployment', namespace, { spec: { progressDeadlineSeconds: 2 } });
    await eventually('Deployment', namespace, 'complete');
    const { admin } = harness();
    await admin.patch(`/apis/apps/v1/namespaces/${namespace}/deployments/web`, {
      spec: { template: { spec: { nodeSelector: { disk: 'none' } } } },
    });
    await eventually('Deployment', namespace, 'progressing');
    await eventually('Deployment', namespace, 'failed');
    expect((await find('Deployment', namespace))?.rollout).toMatchObject({
      message: expect.stringMatching(/has timed out progressing/),
    });
    const marked = await cluster.restartWorkload(
      namespace,
      { kind: 'Deployment', name: 'web' },
      mark('b'),
      signal(),
    );
    expect(marked.rollout.state, 'an old failure says nothing about a new template').toBe('progressing');
  });

  test.for([
    ['Deployment', { paused: true }, '0 of 2 pods are new; it is paused: resume it'],
    [
      'StatefulSet',
      onDelete,
      '0 of 2 pods are new; its update strategy is OnDelete: delete its pods one by one',
    ],
    [
      'DaemonSet',
      onDelete,
      '0 of 1 pods are new; its update strategy is OnDelete: delete its pods one by one',
    ],
    [
      'StatefulSet',
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
      'pod web-0 is below the partition of its update strategy: lower spec.updateStrategy.rollingUpdate.partition',
    ],
  ] as const)('a %s with %o that is marked keeps pods until a person acts, and says which', async ([
    kind,
    spec,
    message,
  ]) => {
    const { admin, cluster, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    await create(kind, namespace);
    await eventually(kind, namespace, 'complete');
    await admin.patch(`${workloadOf(kind, namespace).path}/web`, { spec });
    await eventually(kind, namespace, 'complete');
    await cluster.restartWorkload(namespace, { kind, name: 'web' }, mark('aa'), signal());
    await eventually(kind, namespace, 'held');
    expect((await find(kind, namespace))?.rollout).toEqual({ state: 'held', message });
    const free =
      kind === 'Deployment'
        ? { paused: false }
        : { updateStrategy: { type: 'RollingUpdate', rollingUpdate: null } };
    await admin.patch(`${workloadOf(kind, namespace).path}/web`, { spec: free });
    await eventually(kind, namespace, 'complete');
  });

  test('a Deployment without replicas is complete', async () => {
    const { newNamespace } = harness();
    const namespace = await newNamespace();
    await create('Deployment', namespace, { spec: { replicas: 0 } });
    await eventually('Deployment', namespace, 'complete');
  });

  test('strategy Recreate has a gap on restart, however many replicas there are; none without pods', async () => {
    const { newNamespace } = harness();
    const namespace = await newNamespace();
    const strategy = { type: 'Recreate' };
    for (const [replicas, hasGap] of [
      [0, false],
      [1, true],
      [3, true],
    ] as const) {
      const name = `web-${replicas}`;
      await create('Deployment', namespace, { name, spec: { replicas, strategy } });
      expect(await find('Deployment', namespace, name), name).toMatchObject({ hasGapOnRestart: hasGap });
    }
    await create('Deployment', namespace, { name: 'rolling', spec: { replicas: 1 } });
    expect(await find('Deployment', namespace, 'rolling')).toMatchObject({ hasGapOnRestart: false });
  });
}
