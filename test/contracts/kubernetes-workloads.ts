// What Certrelay relies on in Deployments, StatefulSets and DaemonSets: use of Secrets, marks, rollouts.
import { expect, test } from 'vitest';
import { type WorkloadKind, workloadKinds } from '../../lib/certificate/spec.ts';
import type { Rollout } from '../../lib/policy/cluster-objects.ts';
import type { Bench } from './kubernetes-bench.ts';

interface Shape {
  readonly name?: string;
  readonly spec?: object;
  readonly pod?: object;
}

/** Path and body of a workload with two containers. */
export function workloadOf(kind: WorkloadKind, namespace: string, { name = 'web', spec, pod }: Shape = {}) {
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

const mark = (value: string) =>
  ({ kind: 'annotation', key: 'certrelay.dev/fingerprint-web-tls', value }) as const;

export function promiseWorkloads(bench: () => Bench): void {
  const create = async (kind: WorkloadKind, namespace: string, shape?: Shape) => {
    const { path, body } = workloadOf(kind, namespace, shape);
    await bench().admin.create(path, body);
  };
  const find = async (kind: WorkloadKind, namespace: string, name = 'web') => {
    const list = await bench().cluster.listWorkloads(namespace, kind, bench().signal());
    return list.find((workload) => workload.name === name);
  };
  const eventually = (kind: WorkloadKind, namespace: string, state: Rollout['state']) =>
    expect.poll(async () => (await find(kind, namespace))?.rollout.state, { timeout: 15_000 }).toBe(state);

  test('every way in which pods use a Secret is found, and nothing that is no use', async () => {
    const { newNamespace } = bench();
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
              volumeAttributes: { secretProviderClass: 'csi' },
            },
          },
        ],
        containers: [
          {
            name: 'main',
            image,
            env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'env', key: 'a' } } }],
            envFrom: [{ secretRef: { name: 'env-from' } }, { configMapRef: { name: 'map' } }],
          },
        ],
        initContainers: [{ name: 'init', image, envFrom: [{ secretRef: { name: 'init' } }] }],
      },
    });
    await create('Deployment', namespace, { name: 'plain' });
    const used = ['env', 'env-from', 'init', 'projected', 'volume'];
    expect((await find('Deployment', namespace))?.secrets).toEqual(used);
    expect((await find('Deployment', namespace, 'plain'))?.secrets).toEqual([]);
  });

  test.for(
    workloadKinds,
  )('a %s that is marked rolls out, and the same mark again changes nothing', async (kind) => {
    const { cluster, newNamespace, signal } = bench();
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
    const { cluster, admin, newNamespace, signal } = bench();
    const namespace = await newNamespace();
    await create('Deployment', namespace);
    const env = { kind: 'env', container: 'main', value: 'aa' } as const;
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
    const { cluster, newNamespace, signal } = bench();
    const namespace = await newNamespace();
    await create('Deployment', namespace, { spec: { progressDeadlineSeconds: 2 } });
    await eventually('Deployment', namespace, 'complete');
    const { admin } = bench();
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
    ['Deployment', { paused: true }, /paused/],
    ['StatefulSet', { updateStrategy: { type: 'OnDelete' } }, /OnDelete/],
    ['DaemonSet', { updateStrategy: { type: 'OnDelete' } }, /OnDelete/],
  ] as const)('a %s with %o is held: nobody waits for it', async ([kind, spec, message]) => {
    const { newNamespace } = bench();
    const namespace = await newNamespace();
    await create(kind, namespace, { spec });
    expect((await find(kind, namespace))?.rollout).toMatchObject({
      state: 'held',
      message: expect.stringMatching(message),
    });
  });

  test('a Deployment without replicas is complete', async () => {
    const { newNamespace } = bench();
    const namespace = await newNamespace();
    await create('Deployment', namespace, { spec: { replicas: 0 } });
    await eventually('Deployment', namespace, 'complete');
  });

  test('strategy Recreate has a gap on restart, however many replicas there are; none without pods', async () => {
    const { newNamespace } = bench();
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
