// What Certrelay relies on in a Kubernetes API server, asked through its own adapter: the double and a real
// control plane must answer the same.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { promiseAccess } from './kubernetes-access.ts';
import { promiseDefinitions } from './kubernetes-definitions.ts';
import { promiseDirectory } from './kubernetes-directory.ts';
import {
  encode,
  type Harness,
  type KubernetesSubject,
  manifestOf,
  openHarness,
} from './kubernetes-harness.ts';
import { promiseKubectl } from './kubernetes-kubectl.ts';
import { promiseWorkloads } from './kubernetes-workloads.ts';

export type { KubernetesSubject };

/** Declares the suite. */
export function describeKubernetes(title: string, start: () => Promise<KubernetesSubject>): void {
  describe(title, () => {
    let opened: Harness;
    beforeAll(async () => {
      opened = await openHarness(start);
    });
    afterAll(() => opened.stop());
    const harness = () => opened;
    describe('Secrets', () => promiseSecrets(harness));
    describe('workloads', () => promiseWorkloads(harness));
    describe('access', () => promiseAccess(harness));
    describe('what uses certificates', () => promiseDirectory(harness));
    describe('kinds that are defined', () => promiseDefinitions(harness));
    describe('what kubectl asks', () => promiseKubectl(harness));
  });
}

const first = { manager: 'certrelay' } as const;
const pathOf = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets/web`;

function promiseSecrets(harness: () => Harness): void {
  test('a Secret that is missing is undefined, in a namespace that is missing too', async () => {
    const { cluster, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    expect(await cluster.readSecret(namespace, 'web', signal())).toBeUndefined();
    expect(await cluster.readSecret('nowhere', 'web', signal())).toBeUndefined();
  });

  test('a Secret that is applied reads back as it was answered, and applying it again changes nothing', async () => {
    const { cluster, newNamespace, signal } = harness();
    const manifest = manifestOf(
      await newNamespace(),
      { a: '1' },
      { labels: { l: 'x' }, annotations: { n: 'y' } },
    );
    const made = await cluster.applySecret(manifest, first, signal());
    expect(made).toMatchObject({
      type: 'Opaque',
      immutable: false,
      data: { a: encode('1') },
      owned: { data: ['a'] },
    });
    expect(made).toMatchObject({ labels: { l: 'x' }, annotations: { n: 'y' } });
    expect(await cluster.readSecret(manifest.namespace, 'web', signal())).toEqual(made);
    const again = await cluster.applySecret(manifest, { ...first, over: made }, signal());
    expect(again.resourceVersion).toBe(made.resourceVersion);
  });

  test('P17 N02 keys, labels and annotations of others survive an apply, htpasswd among them', async () => {
    const { cluster, admin, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    await admin.create(`/api/v1/namespaces/${namespace}/secrets`, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'web', labels: { team: 'shop' }, annotations: { note: 'kept' } },
      data: { htpasswd: encode('user:hash'), proxycert: encode('old') },
    });
    const found = await cluster.readSecret(namespace, 'web', signal());
    const manifest = manifestOf(
      namespace,
      { proxycert: 'new', proxykey: 'key' },
      { labels: { ours: 'yes' } },
    );
    const applied = await cluster.applySecret(manifest, { ...first, over: found }, signal());
    expect(applied.data).toEqual({
      htpasswd: encode('user:hash'),
      proxycert: encode('new'),
      proxykey: encode('key'),
    });
    expect(applied.labels).toEqual({ team: 'shop', ours: 'yes' });
    expect(applied.annotations).toEqual({ note: 'kept' });
    expect({ ...applied.owned, data: applied.owned.data.toSorted() }).toEqual({
      data: ['proxycert', 'proxykey'],
      labels: ['ours'],
      annotations: [],
    });
  });

  test('a key that is applied no longer goes, unless another manager holds it too', async () => {
    const { cluster, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const made = await cluster.applySecret(
      manifestOf(namespace, { a: '1', b: '2', c: '3' }),
      first,
      signal(),
    );
    const shared = await cluster.applySecret(
      manifestOf(namespace, { b: '2' }),
      { manager: 'certrelay-kept', over: made },
      signal(),
    );
    const applied = await cluster.applySecret(
      manifestOf(namespace, { a: '1' }),
      { ...first, over: shared },
      signal(),
    );
    expect(applied.data).toEqual({ a: encode('1'), b: encode('2') });
    expect(applied.owned.data).toEqual(['a']);
  });

  test('an apply over a Secret that has changed since is a Conflict and changes nothing', async () => {
    const { cluster, admin, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const made = await cluster.applySecret(manifestOf(namespace, { a: '1' }), first, signal());
    await admin.patch(pathOf(namespace), { data: { a: encode('2') } });
    const stale = cluster.applySecret(manifestOf(namespace, { a: '3' }), { ...first, over: made }, signal());
    await expect(stale).rejects.toMatchObject({ code: 'Conflict' });
    expect((await admin.get(pathOf(namespace))).data).toEqual({ a: encode('2') });
    const fresh = await cluster.readSecret(namespace, 'web', signal());
    const applied = await cluster.applySecret(
      manifestOf(namespace, { a: '3' }),
      { ...first, over: fresh },
      signal(),
    );
    expect(applied.data).toEqual({ a: encode('3') });
  });

  test('without a Secret to go over, values of others are a Conflict, not overwritten', async () => {
    const { cluster, admin, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'web' },
      data: { a: encode('theirs') },
    };
    await admin.create(`/api/v1/namespaces/${namespace}/secrets`, body);
    const made = cluster.applySecret(manifestOf(namespace, { a: 'ours' }), first, signal());
    await expect(made).rejects.toMatchObject({ code: 'Conflict' });
    expect((await admin.get(pathOf(namespace))).data).toEqual({ a: encode('theirs') });
  });

  test.for([
    [
      'without tls.key',
      { type: 'kubernetes.io/tls', data: { 'tls.crt': encode('x') } },
      /data\[tls\.key\]: Required/,
    ],
    ['with a bad key name', { data: { 'a b': encode('x') } }, /valid config key/],
    ['over 1 MiB', { data: { a: encode('x'.repeat(1_048_577)) } }, /Too long/],
  ] as const)('a Secret %s is Rejected', async ([, more, message]) => {
    const { cluster, newNamespace, signal } = harness();
    const made = cluster.applySecret(manifestOf(await newNamespace(), {}, more), first, signal());
    await expect(made).rejects.toMatchObject({ code: 'Rejected', message: expect.stringMatching(message) });
  });

  test('the type of a Secret cannot be changed: Rejected', async () => {
    const { cluster, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const values = { 'tls.crt': 'c', 'tls.key': 'k' };
    const over = await cluster.applySecret(manifestOf(namespace, values), first, signal());
    const changed = manifestOf(namespace, values, { type: 'kubernetes.io/tls' });
    await expect(cluster.applySecret(changed, { ...first, over }, signal())).rejects.toMatchObject({
      code: 'Rejected',
      message: expect.stringMatching(/type: Invalid value.*field is immutable/),
    });
  });

  test('an immutable Secret takes new labels but no new data', async () => {
    const { cluster, admin, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    await cluster.applySecret(manifestOf(namespace, { a: '1' }), first, signal());
    await admin.patch(pathOf(namespace), { immutable: true });
    const over = await cluster.readSecret(namespace, 'web', signal());
    expect(over?.immutable).toBe(true);
    const changed = cluster.applySecret(manifestOf(namespace, { a: '2' }), { ...first, over }, signal());
    await expect(changed).rejects.toMatchObject({
      code: 'Rejected',
      message: expect.stringMatching(/immutable/),
    });
    const labelled = manifestOf(namespace, { a: '1' }, { labels: { l: 'x' } });
    expect(await cluster.applySecret(labelled, { ...first, over }, signal())).toMatchObject({
      labels: { l: 'x' },
    });
  });

  test('a Secret in a namespace that is missing is NotFound, and the message says to create it', async () => {
    const { cluster, signal } = harness();
    await expect(
      cluster.applySecret(manifestOf('nowhere', { a: '1' }), first, signal()),
    ).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringMatching(/namespace nowhere does not exist: create it/),
    });
  });

  test('only the state that was seen is deleted, and deleting what is gone is fine', async () => {
    const { cluster, admin, newNamespace, signal } = harness();
    const namespace = await newNamespace();
    const made = await cluster.applySecret(manifestOf(namespace, { a: '1' }), first, signal());
    await admin.patch(pathOf(namespace), { metadata: { labels: { changed: 'yes' } } });
    await expect(cluster.deleteSecret(namespace, 'web', made, signal())).rejects.toMatchObject({
      code: 'Conflict',
    });
    const fresh = await cluster.readSecret(namespace, 'web', signal());
    if (!fresh) throw new Error('the Secret is gone');
    await cluster.deleteSecret(namespace, 'web', fresh, signal());
    await cluster.deleteSecret(namespace, 'web', fresh, signal());
    expect(await cluster.readSecret(namespace, 'web', signal())).toBeUndefined();
  });
}
