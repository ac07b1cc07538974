// What kubectl asks of an API server, request by request as kubectl 1.35 sends them: the double and a real
// control plane must answer the same.
import { expect, test } from 'vitest';
import { ask, field, protobuf, type RawAnswer, watch } from './kubernetes-asking.ts';
import type { Harness } from './kubernetes-harness.ts';

const aggregated = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const apply = { 'content-type': 'application/apply-patch+yaml' };

export function promiseKubectl(harness: () => Harness): void {
  test('discovery is answered in the aggregated form where that is asked for, and in the older one', async () => {
    const [core, named] = await Promise.all(
      ['/api?timeout=32s', '/apis?timeout=32s'].map((path) =>
        ask(harness(), path, { headers: { accept: aggregated } }),
      ),
    );
    expect(core?.type).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    const secrets = core?.body.items[0].versions[0].resources.find(
      ({ resource }: { resource: string }) => resource === 'secrets',
    );
    const verbs = expect.arrayContaining(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']);
    expect(secrets).toMatchObject({ scope: 'Namespaced', singularResource: 'secret', verbs });
    const apps = named?.body.items.find(
      ({ metadata }: { metadata: { name: string } }) => metadata.name === 'apps',
    );
    const deployments = apps.versions[0].resources.find(
      ({ resource }: { resource: string }) => resource === 'deployments',
    );
    expect(deployments).toMatchObject({ shortNames: ['deploy'], categories: ['all'], verbs });

    const paths = ['/api', '/apis', '/apis/apps', '/apis/apps/v1', '/version'];
    const [versions, groups, group, list, version] = await Promise.all(
      paths.map((path) => ask(harness(), path)),
    );
    expect(versions?.body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    const described = { name: 'apps', preferredVersion: { groupVersion: 'apps/v1', version: 'v1' } };
    expect(groups?.body).toMatchObject({
      groups: expect.arrayContaining([expect.objectContaining(described)]),
    });
    expect(group?.body).toMatchObject({ kind: 'APIGroup', ...described });
    const kind = { name: 'deployments', kind: 'Deployment', namespaced: true, shortNames: ['deploy'] };
    expect(list?.body).toMatchObject({
      kind: 'APIResourceList',
      resources: expect.arrayContaining([expect.objectContaining(kind)]),
    });
    expect(version?.body).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\.\d+\.\d+$/) });
    expect((await ask(harness(), '/apis/nothing.example.com')).status).toBe(404);
  });

  test('OpenAPI v3 says that objects can be patched, with a dry run and with strict validation', async () => {
    const { body: root } = await ask(harness(), '/openapi/v3?timeout=32s');
    const { serverRelativeURL } = JSON.parse(root).paths['apis/apps/v1'];
    const { body } = await ask(harness(), serverRelativeURL);
    const { patch } = body.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'];
    expect(patch['x-kubernetes-group-version-kind']).toEqual({
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
    });
    const names = patch.parameters.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['dryRun', 'fieldManager', 'fieldValidation', 'force']));
  });

  test('"kubectl get" gets a Table, by labels and fields, in one namespace and in all', async () => {
    const namespace = await harness().newNamespace();
    for (const [name, labels] of Object.entries({ one: { l: 'a' }, two: { l: 'b' }, three: {} })) {
      await applySecret(harness(), namespace, { name, labels });
    }
    const get = async (where: string, query: Readonly<Record<string, string>>) => {
      const path = `/api/v1/${where}secrets?limit=500&${String(new URLSearchParams(query))}`;
      const { body } = await ask(harness(), path, { headers: { accept: table } });
      return body;
    };
    const here = `namespaces/${namespace}/`;
    const all = await get(here, {});
    expect(all).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(
      all.columnDefinitions.map(({ name, type, format, priority }: Record<string, unknown>) => [
        name,
        type,
        format,
        priority,
      ]),
    ).toEqual(
      ['Name', 'Type', 'Data', 'Age'].map((name) => [name, 'string', name === 'Name' ? 'name' : '', 0]),
    );
    const age = expect.stringMatching(/^\d+s$/);
    const object = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };
    expect(all.rows[0]).toMatchObject({
      cells: ['one', 'Opaque', 1, age],
      object: { ...object, metadata: { name: 'one', namespace, labels: { l: 'a' } } },
    });
    const names = async (query: Readonly<Record<string, string>>, where = here) =>
      (await get(where, query)).rows.map(({ cells }: { cells: unknown[] }) => cells[0]);
    expect(await names({ labelSelector: 'l=a' })).toEqual(['one']);
    expect(await names({ labelSelector: 'l==a,l' })).toEqual(['one']);
    expect(await names({ labelSelector: 'l in (a,b)' })).toEqual(['one', 'two']);
    expect(await names({ labelSelector: 'l!=a' })).toEqual(['three', 'two']);
    expect(await names({ labelSelector: 'l notin (a, b)' })).toEqual(['three']);
    expect(await names({ labelSelector: '!l' })).toEqual(['three']);
    expect(await names({ fieldSelector: 'metadata.name=two,type=Opaque' })).toEqual(['two']);
    const selected = { fieldSelector: `metadata.namespace=${namespace}`, labelSelector: 'l' };
    expect(await names(selected, '')).toEqual(['one', 'two']);

    for (const query of ['fieldSelector=data.a%3Db', 'labelSelector=a+in+(b']) {
      const refused = await ask(harness(), `/api/v1/${here}secrets?${query}`);
      expect(refused).toMatchObject({ status: 400, body: { reason: 'BadRequest' } });
    }
    const one = await ask(harness(), `/api/v1/${here}secrets/one`, { headers: { accept: table } });
    expect(one.body.rows).toHaveLength(1);
    expect(
      (await ask(harness(), `/api/v1/${here}secrets/none`, { headers: { accept: table } })).body,
    ).toMatchObject({
      kind: 'Status',
      message: 'secrets "none" not found',
    });
  });

  test('a dry run answers as the real one would, and keeps nothing', async () => {
    const namespace = await harness().newNamespace();
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    const made = await applySecret(harness(), namespace, { name: 'web' }, '&dryRun=All');
    expect(made.status).toBe(201);
    expect((await ask(harness(), `${path}/web`)).status).toBe(404);
    await applySecret(harness(), namespace, { name: 'web' });
    const changed = await applySecret(harness(), namespace, { name: 'web', value: 'new' }, '&dryRun=All');
    expect(changed.body.data).toEqual({ a: Buffer.from('new').toString('base64') });
    const body = JSON.stringify({ dryRun: ['All'] });
    const headers = { 'content-type': 'application/json' };
    expect((await ask(harness(), `${path}/web`, { method: 'DELETE', headers, body })).status).toBe(200);
    const kept = await ask(harness(), `${path}/web`);
    expect(kept.body.data).toEqual({ a: Buffer.from('old').toString('base64') });
    expect((await applySecret(harness(), namespace, { name: 'web' }, '&dryRun=Some')).status).toBeGreaterThan(
      399,
    );
  });

  test('a Deployment that is applied by several managers keeps what each has applied, and conflicts are named', async () => {
    const namespace = await harness().newNamespace();
    const web = { name: 'web', image: 'nginx:1', ports: [{ containerPort: 80 }], args: ['a'] };
    const first = await applyDeployment(harness(), { namespace, manager: 'one' }, [web]);
    expect(first.status).toBe(201);
    const { managedFields } = first.body.metadata;
    const applied = managedFields.find(({ manager }: { manager: string }) => manager === 'one');
    expect(applied).toMatchObject({ operation: 'Apply', apiVersion: 'apps/v1', fieldsType: 'FieldsV1' });
    const owned = applied.fieldsV1['f:spec']['f:template']['f:spec']['f:containers']['k:{"name":"web"}'];
    expect(owned).toEqual({
      '.': {},
      'f:args': {},
      'f:image': {},
      'f:name': {},
      'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
    });

    const theirs = [{ name: 'web', image: 'nginx:2' }];
    const refused = await applyDeployment(harness(), { namespace, manager: 'two' }, theirs);
    const field = '.spec.template.spec.containers[name="web"].image';
    expect(refused).toMatchObject({
      status: 409,
      body: {
        reason: 'Conflict',
        message: `Apply failed with 1 conflict: conflict with "one": ${field}`,
        details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field }] },
      },
    });
    const helper = [
      { name: 'web', image: 'nginx:1' },
      { name: 'helper', image: 'busybox' },
    ];
    expect((await applyDeployment(harness(), { namespace, manager: 'two' }, helper)).status).toBe(200);
    expect(await containersOf(harness(), namespace)).toEqual(['web nginx:1', 'helper busybox']);
    const forced = { namespace, manager: 'two', force: true };
    expect((await applyDeployment(harness(), forced, theirs)).status).toBe(200);
    expect(await containersOf(harness(), namespace)).toEqual(['web nginx:2']);
    const both = { ...web, image: 'nginx:2' };
    expect((await applyDeployment(harness(), { namespace, manager: 'one' }, [both])).status).toBe(200);
  });

  test('an object is replaced by PUT, and patched by a JSON patch', async () => {
    const namespace = await harness().newNamespace();
    const path = `/api/v1/namespaces/${namespace}/secrets/web`;
    const { body: made } = await applySecret(harness(), namespace, { name: 'web' });
    const json = { 'content-type': 'application/json' };
    const replaced = { ...made, data: { b: 'eA==' } };
    const put = await ask(harness(), path, { method: 'PUT', headers: json, body: JSON.stringify(replaced) });
    expect(put).toMatchObject({ status: 200, body: { data: { b: 'eA==' } } });
    const stale = await ask(harness(), path, {
      method: 'PUT',
      headers: json,
      body: JSON.stringify(replaced),
    });
    expect(stale).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
    const operations = [
      { op: 'test', path: '/data/b', value: 'eA==' },
      { op: 'add', path: '/metadata/labels', value: { 'a/b': 'c' } },
      { op: 'replace', path: '/metadata/labels/a~1b', value: 'd' },
      { op: 'remove', path: '/data/b' },
    ];
    const patch = async (list: readonly object[]) =>
      ask(harness(), path, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json-patch+json' },
        body: JSON.stringify(list),
      });
    const patched = await patch(operations);
    expect(patched.body.metadata.labels).toEqual({ 'a/b': 'd' });
    expect(patched.body.data ?? {}).toEqual({});
    expect((await patch(operations)).status).toBe(422);
  });

  test('a watch tells what is there, ends it with a bookmark, and tells what changes', async () => {
    const namespace = await harness().newNamespace();
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    await applySecret(harness(), namespace, { name: 'web' });
    const query =
      'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const events = await watch(
      harness(),
      `${path}?${query}&fieldSelector=metadata.name%3Dweb`,
      async (type) => {
        if (type === 'DELETED') return true;
        if (type !== 'BOOKMARK') return false;
        await applySecret(harness(), namespace, { name: 'other' });
        await applySecret(harness(), namespace, { name: 'web', value: 'new' });
        await ask(harness(), `${path}/web`, { method: 'DELETE' });
        return false;
      },
    );
    expect(events.map(({ type, object }) => [type, object.kind])).toEqual([
      ['ADDED', 'Secret'],
      ['BOOKMARK', 'Secret'],
      ['MODIFIED', 'Secret'],
      ['DELETED', 'Secret'],
    ]);
    const [before, bookmark, after] = events.map(({ object }) => object.metadata);
    expect(bookmark?.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect(Number(after?.resourceVersion)).toBeGreaterThan(Number(before?.resourceVersion));
  });

  test('everybody may ask what he may do, in protobuf too', async () => {
    const namespace = await harness().newNamespace();
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const accept = 'application/vnd.kubernetes.protobuf;q=0,application/json';
    const canI = async (user: 'admin' | 'certrelay', verb: string, name: string) => {
      const attributes = [field(1, namespace), field(2, verb), field(5, 'secrets'), field(7, name)];
      const body = protobuf('authorization.k8s.io/v1', 'SelfSubjectAccessReview', [
        field(2, field(1, Buffer.concat(attributes))),
      ]);
      const headers = { accept, 'content-type': 'application/vnd.kubernetes.protobuf' };
      const { status, body: answer } = await ask(harness(), path, { method: 'POST', headers, body }, user);
      return status === 201 && answer.status.allowed;
    };
    expect(await canI('admin', 'get', 'web')).toBe(true);
    expect(await canI('certrelay', 'get', 'web')).toBe(false);
    await bindReading(harness(), namespace, 'web');
    await expect.poll(() => canI('certrelay', 'get', 'web')).toBe(true);
    expect(await canI('certrelay', 'get', 'other')).toBe(false);
    expect(await canI('certrelay', 'list', 'web')).toBe(false);
    const body = protobuf('v1', 'Secret', [
      field(1, field(1, 'typed')),
      field(2, Buffer.concat([field(1, 'a'), field(2, 'b')])),
      field(3, 'Opaque'),
    ]);
    const headers = { accept: 'application/json', 'content-type': 'application/vnd.kubernetes.protobuf' };
    const secrets = `/api/v1/namespaces/${namespace}/secrets?fieldManager=kubectl-create`;
    const made = await ask(harness(), secrets, { method: 'POST', headers, body });
    expect(made).toMatchObject({ status: 201, body: { metadata: { name: 'typed' }, data: { a: 'Yg==' } } });
    const broken = { method: 'POST', headers, body: body.subarray(0, body.length - 4) } as const;
    expect((await ask(harness(), secrets, broken)).status).toBe(400);
  });

  test('a namespace goes with what is in it, and a request for what is in it is a 404 then', async () => {
    const namespace = await harness().newNamespace();
    await applySecret(harness(), namespace, { name: 'web' });
    const path = `/api/v1/namespaces/${namespace}`;
    const { body } = await ask(harness(), path, { method: 'DELETE' });
    expect(body).toMatchObject({ kind: 'Namespace', status: { phase: 'Terminating' } });
    await expect.poll(async () => (await ask(harness(), path)).status).toBe(404);
    expect((await ask(harness(), `${path}/secrets`)).body.items).toEqual([]);
    const refused = await applySecret(harness(), namespace, { name: 'web' });
    expect(refused).toMatchObject({ status: 404, body: { message: `namespaces "${namespace}" not found` } });
  });
}

/** Lets certrelay read one Secret. */
async function bindReading({ admin }: Harness, namespace: string, secret: string): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  const path = `/apis/${apiGroup}/v1/namespaces/${namespace}`;
  const named = { apiVersion: `${apiGroup}/v1`, metadata: { name: 'reading' } };
  const rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames: [secret], verbs: ['get'] }];
  await admin.create(`${path}/roles`, { ...named, kind: 'Role', rules });
  await admin.create(`${path}/rolebindings`, {
    ...named,
    kind: 'RoleBinding',
    roleRef: { apiGroup, kind: 'Role', name: 'reading' },
    subjects: [{ apiGroup, kind: 'User', name: 'certrelay' }],
  });
}

function applySecret(
  harness: Harness,
  namespace: string,
  { name, labels = {}, value = 'old' }: { name: string; labels?: object; value?: string },
  query = '',
): Promise<RawAnswer> {
  const data = { a: Buffer.from(value).toString('base64') };
  const body = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels },
    data,
  });
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}?fieldManager=kubectl&fieldValidation=Strict&force=false${query}`;
  return ask(harness, path, { method: 'PATCH', headers: apply, body });
}

function applyDeployment(
  harness: Harness,
  { namespace, manager, force = false }: { namespace: string; manager: string; force?: boolean },
  containers: readonly object[],
): Promise<RawAnswer> {
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers } };
  const body = JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: { selector: { matchLabels: labels }, template },
  });
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web?fieldManager=${manager}&force=${force}`;
  return ask(harness, path, { method: 'PATCH', headers: apply, body });
}

async function containersOf(harness: Harness, namespace: string): Promise<readonly string[]> {
  const { body } = await ask(harness, `/apis/apps/v1/namespaces/${namespace}/deployments/web`);
  return body.spec.template.spec.containers.map(
    ({ name, image }: { name: string; image: string }) => `${name} ${image}`,
  );
}
