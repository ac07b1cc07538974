// The real kubectl against the sandbox's API server: what an operator types is carried out, and is answered
// as a real control plane answers it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { startKubernetes as startSandboxKubernetes } from '../sandbox/kubernetes/server.ts';
import { type Kubectl, openKubectl } from './kubectl.ts';
import { startKubernetes } from './parts/kubernetes.ts';
import { kubernetesParts, missing } from './parts/locate.ts';

/** A cluster with the namespace `shop`, in the hands of a person who may do everything. */
interface Operated {
  readonly kubectl: Kubectl;
  stop(): Promise<void>;
}

const starts: Readonly<Record<string, () => Promise<Operated>>> = {
  async 'the sandbox'() {
    const surroundings = { journal: new Journal(), faults: new Faults() };
    const cluster = await startSandboxKubernetes({ namespaces: ['shop'] }, surroundings);
    const kubectl = await openKubectl(cluster.kubeconfig('admin'));
    return { kubectl, stop: () => cluster.stop() };
  },
  async 'a control plane'() {
    const cluster = await startKubernetes();
    const kubectl = await openKubectl(cluster.adminKubeconfig);
    await kubectl.run(['create', 'namespace', 'shop']);
    return { kubectl, stop: () => cluster.stop() };
  },
};

const absent = missing(['kubectl', ...kubernetesParts]);

describe.each(absent.length === 0 ? Object.keys(starts) : [])('kubectl with %s', (where) => {
  let operated: Operated;
  beforeAll(async () => {
    operated = await (starts[where] ?? expect.fail(where))();
  });
  afterAll(async () => {
    await operated.kubectl.close();
    await operated.stop();
  });
  /** Runs `kubectl` with the words of a line. */
  const kubectl = (line: string, input?: string) => operated.kubectl.run(line.split(' '), input);
  const table = async (line: string) =>
    (await kubectl(line))
      .trimEnd()
      .split('\n')
      .map((row) => row.split(/ {2,}/));

  test('get shows Secrets as tables, by labels and fields, in one namespace and in all', async () => {
    await kubectl('apply --server-side -f -', secret('one', { app: 'web' }));
    expect(await kubectl('-n shop create secret generic two --from-literal=a=b')).toBe(
      'secret/two created\n',
    );
    const age = expect.stringMatching(/^\d+s$/);
    expect(await table('-n shop get secrets')).toEqual([
      ['NAME', 'TYPE', 'DATA', 'AGE'],
      ['one', 'Opaque', '1', age],
      ['two', 'Opaque', '1', age],
    ]);
    expect(await table('get secret -A -l app=web')).toEqual([
      ['NAMESPACE', 'NAME', 'TYPE', 'DATA', 'AGE'],
      ['shop', 'one', 'Opaque', '1', age],
    ]);
    const labelled = await table('-n shop get secret --field-selector metadata.name=one --show-labels');
    expect(labelled[1]).toEqual(['one', 'Opaque', '1', age, 'app=web']);
    expect(await kubectl('-n shop get secret two -o jsonpath={.data.a}')).toBe('Yg==');
    const described = await kubectl('-n shop describe secret one');
    expect(described).toMatch(/^Name: +one\nNamespace: +shop\nLabels: +app=web\nAnnotations: +<none>\n/);
    expect(described).toMatch(/\nType: +Opaque\n\nData\n=+\na: +1 byte/);
    await expect(kubectl('-n shop get secret none')).rejects.toThrow(
      'Error from server (NotFound): secrets "none" not found',
    );
    await expect(kubectl('get nothings')).rejects.toThrow(
      'the server doesn\'t have a resource type "nothings"',
    );
    await expect(kubectl('-n shop get secret --field-selector data.a=b')).rejects.toThrow(
      'Error from server (BadRequest): Unable to find "/v1, Resource=secrets" that match label selector "", field selector "data.a=b": ',
    );
    expect(await kubectl('-n shop delete secret two --dry-run=server')).toContain('server dry run');
    expect(await kubectl('-n shop delete secret one two')).toMatch(
      /^secret "one" deleted.*\nsecret "two" deleted.*\n$/,
    );
    await expect(kubectl('-n shop get secret two')).rejects.toThrow('NotFound');
  });

  test('apply --server-side knows who owns a field, refuses conflicts and has a dry run', async () => {
    expect(await kubectl('apply --server-side -f -', deployment('nginx:1'))).toBe(
      'deployment.apps/web serverside-applied\n',
    );
    const other = 'apply --server-side --field-manager=other -f -';
    await expect(kubectl(other, deployment('nginx:2'))).rejects.toThrow(
      'Apply failed with 1 conflict: conflict with "kubectl": .spec.template.spec.containers[name="web"].image',
    );
    expect(await kubectl(`${other} --force-conflicts --dry-run=server`, deployment('nginx:2'))).toBe(
      'deployment.apps/web serverside-applied (server dry run)\n',
    );
    const image = '-n shop get deploy web -o jsonpath={.spec.template.spec.containers[0].image}';
    expect(await kubectl(image)).toBe('nginx:1');
    await kubectl(`${other} --force-conflicts`, deployment('nginx:2'));
    expect(await kubectl(image)).toBe('nginx:2');
    const managers = await kubectl('-n shop get deploy web -o jsonpath={.metadata.managedFields[*].manager}');
    expect(managers.split(' ')).toEqual(expect.arrayContaining(['kubectl', 'other']));
    await expect(kubectl('apply --server-side -f -', `${secret('one', {})}more: x\n`)).rejects.toThrow(
      'failed to create typed patch object (shop/one; /v1, Kind=Secret): .more: field not declared in schema',
    );
    await kubectl('apply -f -', secret('moved', { a: 'b' }));
    await kubectl('apply --server-side -f -', secret('moved', { a: 'c' }));
    expect(await kubectl('-n shop get secret moved -o jsonpath={.metadata.labels}')).toBe('{"a":"c"}');
  });

  test('rollout status waits for the pods, and get shows them', async () => {
    await kubectl('apply --server-side --force-conflicts -f -', deployment('nginx:3'));
    expect(await kubectl('-n shop rollout status deploy/web --timeout=60s')).toContain(
      'deployment "web" successfully rolled out\n',
    );
    await kubectl('-n shop rollout restart deploy/web');
    await kubectl('-n shop rollout status deploy/web --timeout=60s');
    await kubectl('-n shop wait --for=condition=Available deploy/web --timeout=60s');
    const age = expect.stringMatching(/^\d+m?\d*s$/);
    expect(await table('-n shop get deploy')).toEqual([
      ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE'],
      ['web', '2/2', '2', '2', age],
    ]);
    const pods = await table('-n shop get pods --field-selector status.phase=Running');
    expect(pods[1]).toEqual([expect.stringMatching(/^web-/), '1/1', 'Running', '0', age]);
    expect(await kubectl('-n shop get all')).toMatch(/deployment\.apps\/web/);
    expect(await kubectl('-n shop describe deployment web')).toMatch(/Replicas: +2 desired \| 2 updated/);
  });

  test('auth can-i and whoami say who asks and what he may', async () => {
    expect(await kubectl('auth can-i delete secrets -n shop')).toBe('yes\n');
    expect(await kubectl('auth whoami -o jsonpath={.status.userInfo.username}')).toBe('admin');
    expect(await kubectl('auth can-i --list -n shop')).toContain('[*]');
    await kubectl('create namespace more');
    expect(await kubectl('delete namespace more')).toBe('namespace "more" deleted\n');
    await expect(kubectl('get namespace more')).rejects.toThrow('NotFound');
    expect(await kubectl('version')).toMatch(/^Server Version: v1\.\d+\.\d+$/m);
  });
});

if (absent.length > 0) test.todo(`kubectl with the sandbox: run test/real/install ${absent.join(' ')}`);

function secret(name: string, labels: Readonly<Record<string, string>>): string {
  return `apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: shop, labels: ${JSON.stringify(labels)} }
stringData: { a: b }
`;
}

function deployment(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers: [{ name: web, image: '${image}', ports: [{ containerPort: 80 }] }]
      volumes: [{ name: tls, emptyDir: {} }]
`;
}
